#!/usr/bin/env bash
# Packs the golden archives of coded data anew: once for every new numerics version, never otherwise.
# Each is made with every backend that there is here, and all must agree. With NZIP_ARM64, a build for
# ARM64, NEON is one of them, emulated where it must be.
#
# remake.sh [NAME]... makes only those: remake.sh good-text-2
set -eu
cd "$(dirname "$0")"
nzip=${NZIP:-../../nzip}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

variants() { # lines "BACKEND COMMAND"
    local emulate=qemu-aarch64-static
    echo "c $nzip"
    ! grep -qw avx2 /proc/cpuinfo || echo "avx2 $nzip"
    [ "$(uname -m)" != aarch64 ] || echo "neon $nzip"
    [ "$(uname -m)" != aarch64 ] || emulate=
    [ -z "${NZIP_ARM64:-}" ] || echo "neon $emulate $NZIP_ARM64"
}

options() { # NAME: how it is packed
    case $1 in
    good-primed-*) echo --prior=prose ;;
    good-delta-*) echo --base=good-delta.base ;;
    *) echo --no-prior ;;
    esac
}

# An archive, or for an array of several types one for each of its pieces.
pack() { # NAME LEVEL COMMAND...
    local name=$1 level=$2 at=1 dtype bytes
    shift 2
    if [ ! -e "${name%-*}.parts" ]; then
        "$@" "-$level" $(options "$name") -qc "$name.raw"
        return
    fi
    while read -r dtype bytes; do
        tail -c +$at "$name.raw" | head -c "$bytes" >"$work/part"
        "$@" "-$level" "--dtype=$dtype" -qc "$work/part"
        at=$((at + bytes))
    done <"${name%-*}.parts"
}

make_one() { # NAME
    local name=$1 backend command
    rm -f "$work/made"
    while read -r backend command; do
        NZ_BACKEND=$backend pack "$name" "${name##*-}" $command >"$work/new"
        [ -e "$work/made" ] || cp "$work/new" "$work/made"
        cmp "$work/new" "$work/made" || { echo "$name: $backend packs differently" >&2 && exit 1; }
    done <"$work/variants"
    cp "$work/made" "$name.nz"
}

variants >"$work/variants"
echo "backends: $(cut -d' ' -f1 "$work/variants" | tr '\n' ' ')" >&2
if [ $# = 0 ]; then
    for raw in good-*-[1-9].raw; do
        set -- "$@" "${raw%.raw}"
    done
fi
for name; do
    make_one "$name"
done

# Flips the last bit of the payload, which ends 17 bytes before the archive does.
at=$(($(stat -c %s good-text-1.nz) - 17))
last=$(od -An -tu1 -j "$at" -N 1 good-text-1.nz)
{
    head -c "$at" good-text-1.nz
    printf "\\x$(printf %x $((last ^ 1)))"
    tail -c +$((at + 2)) good-text-1.nz
} >bad-tail.nz

# A zero behind the payload: the same bytes come out, but no encoder ends so.
PYTHONPATH=../../tools/nzread python3 -B - <<'PYTHON'
import xxh3
from span import Span


def varint(v):
    return bytes([v]) if v < 128 else bytes([v & 127 | 128]) + varint(v >> 7)


def checked(data):
    return data + xxh3.check(data, 32).to_bytes(4, "little")


with open("good-text-1.nz", "rb") as file:
    span = Span(file.read())
head, tag, raw, packed = span.take(8), span.take(1), span.varint(), span.varint()
params, digest = span.take(16), span.take(8)
span.take(4)
frame = checked(tag + varint(raw) + varint(packed + 1) + params + digest)
frame += span.take(packed) + b"\0"
end = b"\xe0" + varint(1) + varint(raw) + varint(len(frame)) + varint(raw)
with open("bad-tail-long.nz", "wb") as file:
    file.write(head + frame + checked(end + len(end).to_bytes(4, "little")))
PYTHON
