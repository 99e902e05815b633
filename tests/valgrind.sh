#!/usr/bin/env bash
# Memory that is read before it is written could make an archive depend on chance: packs and unpacks
# a little of everything under valgrind, $NZIP or ./nzip, by the plain kernels and by AVX2's.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
nzip=$(realpath "${NZIP:-./nzip}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

watched() {
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        --track-origins=yes "$nzip" -T1 "$@" 2>"$work/log" || { cat "$work/log" && return 1; }
}

there_and_back() { # BACKEND LEVEL FILE OPTION...
    local backend=$1 level=$2 file=$3
    shift 3
    export NZ_BACKEND=$backend
    watched "-$level" "$@" -qc "$file" >"$work/packed" &&
        watched -dqc "$work/packed" "${@/--no-prior/-q}" >"$work/raw" && cmp -s "$work/raw" "$file"
}

cd tests/golden
for backend in c avx2; do
    for level in 1 3; do
        for name in text-1 code-1 records-1 mixed-1 weights-1 blocks-3; do
            check "$name, $backend, level $level" \
                there_and_back $backend $level "good-$name.raw" --no-prior
        done
    done
done
there_and_back_deep() {
    there_and_back avx2 5 "$1" --no-prior
}
for name in repeats-5 image-5 bilevel-5 audio-5; do
    check "$name, level 5" there_and_back_deep "good-$name.raw"
done
check "weights, the model that learns" there_and_back avx2 7 good-weights-7.raw --no-prior
check "weights, a difference" there_and_back avx2 3 good-weights-3.raw --no-prior \
    --base=good-weights-3.raw
tally_end
