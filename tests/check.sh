#!/usr/bin/env bash
# Everything that must hold, one step after the other; the last line adds all counts up.
# tests/check.sh [STEP]... runs only those steps.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
steps=(format build install units golden reading i386 cli determinism sanitize threads torture fuzz)
[ $# = 0 ] || steps=("$@")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NZ_TALLY=$work/tally
: >"$NZ_TALLY"
jobs=-j$(nproc)

# quietly NAME COMMAND...: one test; the output is shown only when it fails.
quietly() {
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then ok "$name"; else fail "$name" && tail -n 60 "$work/log"; fi
}

make_in() { # FOLDER CC GOALS... [VARIABLE=VALUE]...
    local folder=build/$1 cc=$2
    shift 2
    make --no-print-directory -s "$jobs" BUILD="$folder" CC="$cc" WERROR=1 "$@"
}

step_format() {
    quietly "clang-format" make --no-print-directory -s format-check
    quietly "man page" bash -c '! command -v man >/dev/null || [ -z "$(man --warnings -l \
        -Tutf8 man/nzip.1 2>&1 >/dev/null)" ]'
}

step_build() {
    quietly "gcc builds without a warning" make_in gcc gcc all tests trainers benches
    quietly "clang builds without a warning" make_in clang clang all
    quietly "aarch64 builds without a warning" \
        make_in arm64 aarch64-linux-gnu-gcc STATIC=1 build/arm64/nzip
    if grep -rnE '#include "' src/cli | grep -vE '"(cli/[a-z]+|nz)\.h"'; then
        fail "the command line includes only nz.h"
    else
        ok "the command line includes only nz.h"
    fi
}

# Criterion's last line counts; a program that dies before it counts as one failure.
count_unit() { # PROGRAM LOG
    local status line tested good
    status=$(tail -n 1 "$2")
    line=$(grep -a 'Synthesis: Tested:' "$2" | tail -n 1)
    tested=$(sed -n 's/.*Tested: *\([0-9]*\).*/\1/p' <<<"$line")
    good=$(sed -n 's/.*Passing: *\([0-9]*\).*/\1/p' <<<"$line")
    passed=$((passed + ${good:-0}))
    failed=$((failed + ${tested:-1} - ${good:-0}))
    [ "$status" = 0 ] && [ -n "$line" ] && return
    [ "${tested:-0}" != "${good:-1}" ] || failed=$((failed + 1))
    echo "FAIL $1 (exit $status)"
    tail -n 40 "$2"
}

# Programs run side by side: most have one long test at the end. Those that take longest begin, so
# that no core waits for the last one; then the others, whichever there are.
longest=(archive mixed prior max weights access net deep fast)
run_units() { # FOLDER
    local name names
    names=$({
        printf '%s\n' "${longest[@]}"
        (cd tests && ls *.c | sed 's/\.c$//')
    } | awk '!seen[$0]++' | while read -r name; do [ ! -e "tests/$name.c" ] || echo "$name"; done)
    xargs -r -P "$(nproc)" -I NAME bash -c \
        "$1/tests/NAME >$work/unit.NAME 2>&1; echo \$? >>$work/unit.NAME" <<<"$names"
    for name in $names; do
        count_unit "$1/tests/$name" "$work/unit.$name"
    done
}

step_install() {
    BUILD=build/gcc tests/install.sh
    NZIP=build/gcc/nzip tests/completions.sh
}

step_units() {
    run_units build/gcc
}

step_golden() {
    NZIP=build/gcc/nzip tests/golden.sh
}

step_reading() {
    tests/reading.sh
}

# 32 bits, where the compiler for them can be had. Priors, which take long, are read alike.
step_i386() {
    local nzip=build/i386/nzip
    command -v i686-linux-gnu-gcc >/dev/null || { echo "   no i686-linux-gnu-gcc" && return; }
    quietly "i386 builds without a warning" \
        make_in i386 i686-linux-gnu-gcc STATIC=1 CFLAGS=-O1 $nzip
    $nzip -V >/dev/null 2>&1 || { echo "   no i386 programs run here" && return; }
    NZIP=$nzip tests/golden.sh '[!p]*'
}

run_cli() { # NZIP, in as many shares as there are cores, but no more than two: some tests wait
    local shares=$(($(nproc) < 2 ? 1 : 2)) share
    for share in $(seq $shares); do
        NZIP=$1 tests/cli.sh "$share" "$shares" >"$work/cli.$share" 2>&1 &
    done
    wait
    cat "$work"/cli.*
}

step_cli() {
    run_cli build/gcc/nzip
}

step_determinism() {
    tests/determinism.sh
}

step_sanitize() {
    quietly "gcc with ASan and UBSan builds" make_in san gcc SAN=1 build/san/nzip tests
    # Golden files are decoded by tests/archive.c.
    NZ_SHORT=1 run_cli build/san/nzip >"$work/cli" &
    NZ_SHORT=1 run_units build/san
    wait $!
    cat "$work/cli"
}

step_threads() {
    tests/threads.sh
}

step_torture() {
    NZ_SHORT=1 tests/torture.sh
}

step_fuzz() {
    FUZZ_SECONDS=${FUZZ_SECONDS:-3} tests/fuzz.sh
}

for step in "${steps[@]}"; do
    SECONDS=0
    echo "== $step"
    "step_$step"
    echo "   $step: $SECONDS s"
done
while read -r p f; do
    passed=$((passed + p))
    failed=$((failed + f))
done <"$NZ_TALLY"
unset NZ_TALLY
tally_end
