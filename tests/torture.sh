#!/usr/bin/env bash
# Faults in the command, damage to archives: every one that there is a name for, counted. The last
# line adds up: "N injected, M changed, 0 lost". NZ_SHORT=1 takes a part of both, for every commit.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
. tests/lib/inputs.sh
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "faults are injected on Linux and x86-64 only" >&2
    tally_end
    exit
fi
plain=build/gcc
sanitized=build/san
every=1 every_damage=1 every_sanitized=1 every_sanitized_damage=97
[ -z "${NZ_SHORT:-}" ] || every=3 every_damage=1499 every_sanitized=17 every_sanitized_damage=19997
build() {
    make --no-print-directory -s -j"$(nproc)" CC=gcc WERROR=1 torturers "$@"
}
if ! build BUILD=$plain || ! build SAN=1 BUILD=$sanitized; then
    fail "torture builds"
    tally_end
    exit 1
fi
work=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$work"' EXIT
unset NZIP_OPT
# An exit status that the command never has.
export LC_ALL=C ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99

# What the scenes of tests/torture/scene.c take, by name.
make_inputs() {
    local nzip=$PWD/$plain/torture/nzip golden=$PWD/tests/golden
    mkdir "$work/inputs"
    text_input 3000 >"$work/inputs/text"
    random_input 3000 >"$work/inputs/random"
    text_input 150000 >"$work/inputs/long"
    cp "$golden/good-weights-3.raw" "$work/inputs/weights"
    cp "$golden/good-mixed-1.raw" "$work/inputs/mixed"
    cd "$work/inputs" || return
    shard_input embed:1 a:2 >m
    shard_input b:3 embed:1 >m.2
    cp weights old
    perl -e 'local $/; my $d = <STDIN>; binmode STDOUT; substr($d, $_, 1) ^= "\1" for map { 2000 + 40 * $_ }
        0 .. 200; print $d' <old >new
    "$nzip" -1 --no-prior -q text random mixed && "$nzip" -3 -q weights m m.2 &&
        "$nzip" -3 -q -f m.2 --base m && "$nzip" -3 -q --base old new &&
        "$nzip" -7 -q -o max.nz weights && "$nzip" -5 --no-prior -q -o deep.nz text &&
        "$nzip" -1 --no-prior --frame=64K -q long && "$nzip" -3 --frame=64K -q -o m64.nz m
}

# Small archives of every method and level, and one with frames that could change places.
make_archives() {
    mkdir "$work/archives"
    cp tests/golden/good-*.nz tests/golden/good-*.raw "$work/archives"
    rm "$work"/archives/good-{empty.*,delta-*} # has nothing to change; needs a base
    perl -e 'print chr(65 + $_) x 65536 for 0 .. 4' >"$work/archives/frames.raw"
    $plain/torture/nzip -1 --no-prior --frame=64K -q -o "$work/archives/frames.nz" \
        "$work/archives/frames.raw"
}

# part NAME COMMAND...: runs it and keeps its table; its last line begins with its count.
part() {
    local name=$1
    shift
    if "$@" | tee "$work/log"; [ "${PIPESTATUS[0]}" = 0 ]; then ok "$name"; else fail "$name"; fi
    counts+=("$(tail -n 1 "$work/log" | cut -d ' ' -f 1)")
    bad=$((bad + $(grep -cE '^(LOST|LEFT|UNEXPLAINED|CRASHED|HUNG): ' "$work/log")))
}

counts=()
bad=0
if ! (make_inputs) || ! make_archives; then
    fail "inputs of torture"
    tally_end
    exit 1
fi
# How much is tried on each: what decodes in no time, some milliseconds, much longer. Those that read a
# prior first take so long that the short form leaves them out.
efforts() {
    local archive effort
    for archive in "$work"/archives/*.nz; do
        case $(basename "$archive" .nz) in
        good-stored | good-three | good-repeats-1 | good-text-1 | good-records-1 | good-weights-1) effort=3 ;;
        good-primed-*) effort=0 ;;
        *-[13] | frames | good-records-* | good-bilevel-* | good-repeats-*) effort=2 ;;
        *-9 | good-arm64-*) effort=0 ;;
        *) effort=1 ;;
        esac
        [ -n "${NZ_SHORT:-}" ] && [[ $archive = *primed* ]] || echo "$effort=$archive"
    done
}

archives=$(efforts)
part "faults" $plain/torture/torture -e $every "$PWD/$plain/torture/nzip" "$work/inputs" "$work"
part "faults of memory, with ASan and UBSan" \
    $plain/torture/torture -u -e $every_sanitized "$PWD/$sanitized/torture/nzip" "$work/inputs" "$work"
part "damaged archives" $plain/torture/corrupt -e $every_damage $archives
part "damaged archives, with ASan and UBSan" \
    $sanitized/torture/corrupt -e $every_sanitized_damage $archives
echo "$((counts[0] + counts[1])) injected, $((counts[2] + counts[3])) changed, $bad lost"
tally_end
