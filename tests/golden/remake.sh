#!/usr/bin/env bash
# Packs the golden archives of coded data anew: once for every new numerics version, never otherwise.
set -eu
cd "$(dirname "$0")"
nzip=${NZIP:-../../nzip}
for raw in good-{text,records,repeats,code,arm64,image,bilevel,audio,mixed,weights,blocks,primed}-*.raw; do
    level=${raw%.raw}
    prior=--no-prior
    [[ $raw != good-primed-* ]] || prior=--prior=prose
    "$nzip" "-${level##*-}" $prior -c "$raw" >"${raw%.raw}.nz"
done
# Flips the last bit of the payload, which ends 17 bytes before the archive does.
at=$(($(stat -c %s good-text-1.nz) - 17))
last=$(od -An -tu1 -j "$at" -N 1 good-text-1.nz)
{
    head -c "$at" good-text-1.nz
    printf "\\x$(printf %x $((last ^ 1)))"
    tail -c +$((at + 2)) good-text-1.nz
} >bad-tail.nz
