#!/usr/bin/env bash
# All that runs in threads, under TSan: frames side by side, a frame on two cores, what reads an
# archive from several threads at once.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
. tests/lib/inputs.sh
build=build/san-thread
if ! make --no-print-directory -s -j"$(nproc)" SAN=thread CC=clang CFLAGS=-g $build/nzip \
    $build/tests/{access,archive,pool,prior}; then
    fail "TSan builds"
    tally_end
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

there_and_back() { # FILE OPTION...
    local file=$1
    shift
    $build/nzip "$@" -T4 --no-prior -qc "$file" >"$work/packed" &&
        $build/nzip -T4 -dqc "$work/packed" | cmp -s - "$file"
}

text_input 200000 >"$work/text"
head -c 3000 "$work/text" >"$work/short"
weights_input 300000 >"$work/weights"
check "frames side by side" there_and_back "$work/text" -1 --frame 64K
check "a frame on two cores" there_and_back "$work/short" -5
check "tensors side by side" there_and_back "$work/weights" -3 --frame 64K
check "parts of tensors" bash -c "$build/nzip -lv -T4 $work/packed >$work/list"
check "an archive from several threads" $build/tests/access from_several_threads
check "memory that is used again" $build/tests/pool
check "priors" $build/tests/prior threads_share
tally_end
