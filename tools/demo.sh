#!/usr/bin/env bash
# Packs a real file with nzip and with what else is installed, checks the way back, prints a table.
# Here: the project's own sources; with NZ_DATA also a megabyte of Wikipedia.
set -u
cd "$(dirname "$0")/.."
. tools/measure.sh
data=${NZ_DATA:-../shared/data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
in=$work/in packed=$work/packed back=$work/back
status=0

# row NAME PACKER... -- UNPACKER...
row() {
    local name=$1 pack_s check=same
    shift
    packer=()
    while [ "$1" != -- ]; do packer+=("$1") && shift; done
    unpacker=("${@:2}")
    command -v "${packer[0]}" >/dev/null || return
    measure "${packer[@]}" <"$in" >"$packed"
    pack_s=$wall_s
    measure "${unpacker[@]}" <"$packed" >"$back"
    cmp -s "$in" "$back" || { check=DIFFERENT && status=1; }
    local n
    n=$(stat -c %s "$packed")
    printf '%-10s %10d %8s %9s %9s  %s\n' "$name" "$n" "$(bits_per_byte "$n" "$raw")" \
        "$pack_s" "$wall_s" "$check"
}

table() { # TITLE LEVELS
    raw=$(stat -c %s "$in")
    printf '\n%s: %d bytes\n%-10s %10s %8s %9s %9s  %s\n' "$1" "$raw" "" packed bpb pack_s \
        unpack_s "after unpacking"
    row "gzip -9" gzip -9 -- gzip -d
    row "bzip2 -9" bzip2 -9 -- bzip2 -d
    row "zstd -19" zstd -q -19 -- zstd -qd
    row "xz -9e" xz -9e -- xz -d
    local level
    for level in $2; do
        row "nzip -$level" ./nzip -q "-$level" -- ./nzip -qd
    done
}

./nzip --version
LC_ALL=C tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=644 \
    -cf "$in" src README.md LICENSE Makefile
table "This project's sources (tar)" "1 3 5 7 9"
if [ -e "$data/enwik/enwik8.prefix" ]; then
    head -c 1000000 "$data/enwik/enwik8.prefix" >"$in"
    table "The first megabyte of enwik8" "1 3 5"
fi
exit $status
