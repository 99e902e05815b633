#!/usr/bin/env bash
# How much of each file that reads what others wrote is run by the fuzzers' inputs: the corpus that
# tests/fuzz.sh keeps, and where it begins. Lines run, of all.
set -eu
cd "$(dirname "$0")/.."
build=build/coverage
corpus=${FUZZ_CORPUS:-build/fuzz/corpus}
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC=clang CFLAGS='-O1 -g' COVERAGE=1 \
    $build/nzip fuzzers
LLVM_PROFILE_FILE=/dev/null NZIP=$build/nzip tests/seeds.sh $build/seeds

run_one() { # NAME: leaves NAME.profraw
    local inputs=("$build/seeds/$1")
    [ ! -d "$corpus/$1" ] || inputs+=("$corpus/$1")
    LLVM_PROFILE_FILE=$build/$1.profraw "$build/fuzz/$1" -runs=0 -rss_limit_mb=3000 "${inputs[@]}" \
        >"$build/$1.log" 2>&1 || { tail -n 20 "$build/$1.log" && exit 1; }
}

names=$(cd fuzz && ls *.c | sed 's/\.c$//')
export build corpus
export -f run_one
xargs -P 2 -I NAME bash -c 'run_one NAME' <<<"$names"
llvm-profdata merge -o $build/all.profdata $build/*.profraw
objects=$(for name in $names; do echo "-object $build/fuzz/$name"; done)
# Whatever a decoder needs; not kernels for other machines, nor the writer.
llvm-cov report -instr-profile $build/all.profdata ${objects#-object } \
    src/{archive,base,coder,containers,mixed,model,ngram,packed,weights}/*.[ch] | awk '
    /^[^-]*\.[ch] / { printf "%6.1f %% %5d of %5d  %s\n", $10, $8 - $9, $8, $1 }
    /^TOTAL/ { printf "%6.1f %% %5d of %5d  all\n", $10, $8 - $9, $8 }'
