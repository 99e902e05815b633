#!/usr/bin/env bash
# Archives made by earlier builds: tests/golden/good-*.nz must give good-*.raw, bad-*.nz must not
# decode. New archives are never compared with old ones: the format freezes decoding.
# tests/golden.sh [PATTERN]: only those, "*-1" for example.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
nzip=${NZIP:-./nzip}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for archive in tests/golden/good-${1:-*}.nz; do
    [ -e "$archive" ] || continue
    base=none
    [[ $archive != */good-delta-* ]] || base=tests/golden/good-delta.base
    if "$nzip" -dc --base="$base" "$archive" >"$out" && cmp -s "$out" "${archive%.nz}.raw"; then
        ok "$archive"
    else
        fail "$archive must decode"
    fi
done
for archive in tests/golden/bad-${1:-*}.nz; do
    [ -e "$archive" ] || continue
    "$nzip" -t "$archive" 2>"$out"
    [ $? = 1 ] && grep -q "nzip: $archive: " "$out" && ok "$archive" || fail "$archive must fail"
done
tally_end
