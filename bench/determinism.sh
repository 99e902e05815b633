#!/usr/bin/env bash
# tests/determinism.sh on long inputs, as a table: every compiler and backend, and aarch64 under
# emulation, must make the same archive and decode it. Needs NZ_DATA; takes hours at high levels.
#   LEVELS="1 5" BYTES=200000 NZ_DATA=folder bench/determinism.sh
set -u
cd "$(dirname "$0")/.."
. tests/lib/inputs.sh
. tests/lib/matrix.sh
data=${NZ_DATA:-../shared/data}
bytes=${BYTES:-200000}
levels=${LEVELS:-1 2 3 4 5 6 7 8 9}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools/packages.sh check && matrix_build || exit 1

for file in enwik/enwik8.prefix misc/openssl.elf misc/camera.pgm; do
    if [ -r "$data/$file" ]; then
        head -c "$bytes" "$data/$file" >"$work/$(basename "$file")"
    else
        echo "skipped: $data/$file is not there" >&2
    fi
done
random_input "$bytes" >"$work/random"
weights_input "$bytes" >"$work/weights"

for input in "$work"/*; do
    [ -f "$input" ] || continue
    matrix_add "$work" variants_native "$input" none $levels
    matrix_add "$work" variants_arm "$input" none $levels
done
builds=$({ variants_native && variants_arm; } | wc -l)
echo "$(nproc) cores; $(gcc --version | head -n 1); $(clang --version | head -n 1)"
matrix_run "$work"

printf '%-20s %5s %9s %9s  %s\n' input level raw packed "$builds builds"
for ref in "$work"/ref/*; do
    name=$(basename "$ref" .nz)
    input=${name%.*} level=${name##*.}
    verdict="identical, all decode"
    if grep -q "^$input $level: " "$work/bad"; then
        verdict=$(grep -c "^$input $level: " "$work/bad")" failures"
    fi
    printf '%-20s %5s %9d %9d  %s\n' "$input" "$level" "$(stat -c %s "$work/$input")" \
        "$(stat -c %s "$ref")" "$verdict"
done
cat "$work/bad"
[ ! -s "$work/bad" ]
