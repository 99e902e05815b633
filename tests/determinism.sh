#!/usr/bin/env bash
# The promise itself: text, a program, an image and noise, at every level, by every compiler,
# backend and thread count here, with aarch64 emulated: identical archives, each decoded by all.
# Short inputs, so that it ends in minutes; bench/determinism.sh takes long ones.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
. tests/lib/inputs.sh
. tests/lib/matrix.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# An emulated float costs some fifty times a real one, hence the smallest inputs.
tiny=${NZ_TINY:-400}      # levels with the network, under emulation
small=${NZ_SMALL:-4096}   # everything else under emulation, and every level without
medium=${NZ_MEDIUM:-40000}
large=${NZ_LARGE:-120000} # the levels without the network
matrix_build || exit 1

make_inputs() { # PREFIX BYTES
    text_input "$2" >"$work/$1text"
    program_input "$2" build/gcc/nzip >"$work/$1program"
    image_input "$2" >"$work/$1image"
    random_input "$2" >"$work/$1random"
}

make_inputs tiny- "$tiny"
make_inputs small- "$small"
make_inputs medium- "$medium"
make_inputs large- "$large"
for kind in text program image random; do
    matrix_add "$work" variants_arm "$work/tiny-$kind" --no-prior 5 6 7 8 9
    matrix_add "$work" variants_arm "$work/small-$kind" --no-prior 1 2 3 4
    matrix_add "$work" variants_native "$work/small-$kind" --no-prior 1 2 3 4 5 6 7 8 9
    matrix_add "$work" variants_pairs "$work/medium-$kind" --no-prior 5
    matrix_add "$work" variants_pairs "$work/large-$kind" none 1 2 3 4
done
# Reading a prior costs the same for any input, so one of each engine's is enough.
cp "$work/tiny-text" "$work/primed"
matrix_add "$work" variants_pairs "$work/primed" --prior=data 1 3 5 7 9
matrix_add "$work" variants_arm_once "$work/primed" --prior=data 1 3 5
# Checkpoints: turbo, fast and max, and fast in several frames.
weights_input "$large" >"$work/weights"
weights_input "$small" >"$work/small-weights"
matrix_add "$work" variants_native "$work/weights" none 1 3 7
matrix_add "$work" variants_arm "$work/weights" none 1 3
matrix_add "$work" variants_arm "$work/small-weights" none 7
cp tests/golden/good-blocks-7.raw "$work/blocks"
matrix_add "$work" variants_native "$work/blocks" none 3 7
matrix_add "$work" variants_arm "$work/blocks" none 3 7
cp "$work/weights" "$work/weights-frames"
matrix_add "$work" variants_native "$work/weights-frames" --frame=64K 3
# Views in turns, unpacked streams, an image.
cp tests/golden/good-mixed-5.raw "$work/mixed"
matrix_add "$work" variants_pairs "$work/mixed" --no-prior 1 3 5 7 9
matrix_add "$work" variants_arm_once "$work/mixed" --no-prior 1 5
for kind in image bilevel audio; do
    cp tests/golden/good-$kind-9.raw "$work/$kind"
    matrix_add "$work" variants_pairs "$work/$kind" --no-prior 5 9
    matrix_add "$work" variants_arm_once "$work/$kind" --no-prior 5 9
done
# Several frames side by side.
cat "$work/large-text" "$work/large-program" >"$work/frames"
matrix_add "$work" variants_native "$work/frames" --frame=64K 1 3
matrix_run "$work"

for ref in "$work"/ref/*; do
    name=$(basename "$ref" .nz)
    if [ ! -s "$ref" ] || grep -q "^${name%.*} ${name##*.}: " "$work/bad"; then
        fail "determinism ${name%.*} level ${name##*.}"
        grep "^${name%.*} ${name##*.}: " "$work/bad" | head -n 5
    else
        ok "determinism ${name%.*} level ${name##*.}"
    fi
done
tally_end
