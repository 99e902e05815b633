#!/usr/bin/env bash
# Runs each fuzz/*.c for FUZZ_SECONDS, starting from the golden archives and containers.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
build=build/fuzz
ls fuzz/*.c >/dev/null 2>&1 || { tally_end && exit 0; }
if ! make --no-print-directory -s -j"$(nproc)" BUILD=$build CC=clang CFLAGS='-O1 -g' FUZZ=1 fuzzers; then
    fail "the fuzzers build"
    tally_end
    exit 1
fi
seeds=$build/seeds
mkdir -p $seeds
# Without those that read a prior first, which takes a second and shows nothing new.
find tests/golden -name '*.nz' ! -name 'good-primed-*' -size -64k -exec cp {} $seeds/ \; 2>/dev/null
find tests/containers -type f ! -name '*.txt' ! -name '*.py' -exec cp {} $seeds/ \; 2>/dev/null

fuzz_one() { # NAME: leaves NAME.log and NAME.status
    mkdir -p "$build/corpus-$1"
    "$build/fuzz/$1" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 -timeout=30 \
        -rss_limit_mb=3000 -artifact_prefix="$build/" "$build/corpus-$1" $seeds >"$build/$1.log" 2>&1
    echo $? >"$build/$1.status"
}

# Side by side: a fuzzer has one thread.
names=$(cd fuzz && ls *.c | sed 's/\.c$//')
export build seeds
export -f fuzz_one
for name in $names; do rm -f "$build/$name.status"; done
xargs -P "$(nproc)" -I NAME bash -c 'fuzz_one NAME' <<<"$names"
for name in $names; do
    log=$build/$name.log
    if [ "$(cat "$build/$name.status" 2>/dev/null)" = 0 ]; then
        ok "fuzz $name: $(grep -ao '#[0-9]*' "$log" | tail -n 1) runs"
    else
        fail "fuzz $name"
        tail -n 40 "$log"
    fi
done
tally_end
