# Sourced by the determinism scripts: one input under many builds, backends and thread counts must
# give one archive, and every one of them must decode it.
#
# A variant is a line "NAME BACKEND THREADS COMMAND"; a cell is an input, its level and a variant.

matrix_build() { # builds what the variants below run
    local j
    j=-j$(nproc)
    make --no-print-directory -s "$j" BUILD=build/gcc CC=gcc WERROR=1 build/gcc/nzip &&
        make --no-print-directory -s "$j" BUILD=build/clang CC=clang WERROR=1 build/clang/nzip &&
        make --no-print-directory -s "$j" BUILD=build/arm64 CC=aarch64-linux-gnu-gcc WERROR=1 \
            STATIC=1 build/arm64/nzip
}

variants_native() { # every combination
    local cc backend threads
    for cc in gcc clang; do
        for backend in c avx2; do
            for threads in 1 2 4; do
                echo "$cc $backend $threads build/$cc/nzip"
            done
        done
    done
}

variants_pairs() { # every value, and every pair of compiler and backend
    echo "gcc c 1 build/gcc/nzip"
    echo "gcc avx2 2 build/gcc/nzip"
    echo "clang c 2 build/clang/nzip"
    echo "clang avx2 4 build/clang/nzip"
}

variants_arm() {
    local emulate=
    [ "$(uname -m)" = aarch64 ] || emulate="qemu-aarch64-static "
    echo "arm64 neon 1 ${emulate}build/arm64/nzip"
    echo "arm64 neon 2 ${emulate}build/arm64/nzip"
    echo "arm64 neon 4 ${emulate}build/arm64/nzip"
    echo "arm64 c 1 ${emulate}build/arm64/nzip"
}

variants_arm_once() { # for what takes long
    variants_arm | head -n 1
}

# matrix_cell FOLDER INPUT LEVEL FLAGS NAME BACKEND THREADS COMMAND...: appends a line to
# FOLDER/bad when the archive differs or does not decode. FLAGS is "none" or one more option.
matrix_cell() {
    local folder=$1 input=$2 level=$3 flags=${4#none} name="$5 $6 -T$7" threads=$7 ref
    export NZ_BACKEND=$6
    ref=$folder/ref/$(basename "$input").$level.nz
    shift 7
    "$@" "-$level" -T"$threads" $flags -qc "$input" | cmp -s - "$ref" ||
        echo "$(basename "$input") $level: $name packs differently" >>"$folder/bad"
    "$@" -dqc -T"$threads" "$ref" | cmp -s - "$input" ||
        echo "$(basename "$input") $level: $name does not decode" >>"$folder/bad"
}

# matrix_add FOLDER VARIANTS INPUT FLAGS LEVEL...: makes the reference archives, queues the cells.
matrix_add() {
    local folder=$1 variants=$2 input=$3 flags=$4 level variant
    mkdir -p "$folder/ref"
    for level in "${@:5}"; do
        local ref=$folder/ref/$(basename "$input").$level.nz
        [ -e "$ref" ] || NZ_BACKEND=avx2 build/gcc/nzip "-$level" -T1 ${flags#none} -qc "$input" >"$ref"
        "$variants" | while read -r variant; do
            echo "$folder $input $level $flags $variant" >>"$folder/queue"
        done
    done
}

matrix_run() { # FOLDER
    export -f matrix_cell
    touch "$1/bad" "$1/queue"
    xargs -P "$(nproc)" -L 1 bash -c 'matrix_cell "$@"' cell <"$1/queue"
}
