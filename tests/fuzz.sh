#!/usr/bin/env bash
# Runs each fuzz/*.c, or those named, for FUZZ_SECONDS, two at a time. Inputs found are kept in
# FUZZ_CORPUS and are where the next run begins; findings are left beside them.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
build=build/fuzz
corpus=${FUZZ_CORPUS:-$build/corpus}
if ! make --no-print-directory -s -j"$(nproc)" BUILD=$build CC=clang CFLAGS='-O1 -g' FUZZ=1 \
    $build/nzip fuzzers; then
    fail "the fuzzers build"
    tally_end
    exit 1
fi
NZIP=$build/nzip tests/seeds.sh $build/seeds
mkdir -p "$corpus"

fuzz_one() { # NAME: leaves NAME.log and NAME.status
    local options=(-max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 -timeout=60 -rss_limit_mb=3000
        -artifact_prefix="$corpus/$1-")
    [ ! -e "fuzz/dict/$1" ] || options+=(-dict="fuzz/dict/$1")
    mkdir -p "$corpus/$1"
    "$build/fuzz/$1" "${options[@]}" "$corpus/$1" "$build/seeds/$1" >"$build/$1.log" 2>&1
    echo $? >"$build/$1.status"
}

# Side by side: a fuzzer has one thread.
names=${*:-$(cd fuzz && ls *.c | sed 's/\.c$//')}
export build corpus
export -f fuzz_one
for name in $names; do rm -f "$build/$name.status"; done
tr ' ' '\n' <<<"$names" | xargs -P 2 -I NAME bash -c 'fuzz_one NAME'
for name in $names; do
    log=$build/$name.log
    if [ "$(cat "$build/$name.status" 2>/dev/null)" = 0 ]; then
        ok "fuzz $name: $(grep -ao '#[0-9][0-9]*' "$log" | tail -n 1) runs"
    else
        fail "fuzz $name"
        tail -n 40 "$log"
    fi
done
tally_end
