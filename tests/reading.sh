#!/usr/bin/env bash
# tools/nzread, a second decoder that follows formats/*.md, unpacks what nzip packed.
# All golden archives, but those of the deep engine, which it must say it does not know.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPYCACHEPREFIX=$work/cache
# Those that take seconds each are left out when time is short; the one of most only NZ_LONG reads.
left_out=good-primed-3
[ -z "${NZ_LONG:-}" ] || left_out='^$'
[ -z "${NZ_SHORT:-}" ] || left_out='good-(primed|kin|rows|packed)-'

archives() {
    ls tests/golden/{good,bad}-*.nz | grep -Ev "$left_out"
}

needs_deep_engine() { # NAME
    [[ $1 =~ -[5-9]$ && ! $1 =~ ^good-(arrays|quants|kin|onnx)- ]]
}

judge() { # ARCHIVE STATUS OUTPUT
    local name
    name=$(basename "$1" .nz)
    case $name in
    bad-*) [ "$2" = 1 ] ;;
    *) if needs_deep_engine "$name"; then
        [ "$2" = 3 ]
    else
        [ "$2" = 0 ] && cmp -s "$3" "${1%.nz}.raw"
    fi ;;
    esac
}

read_one() { # ARCHIVE: leaves NAME.out, NAME.log and NAME.status
    local name base=
    name=$work/$(basename "$1" .nz)
    [[ $1 != */good-delta-* ]] || base=--base=tests/golden/good-delta.base
    python3 tools/nzread $base "$1" >"$name.out" 2>"$name.log"
    echo $? >"$name.status"
}

export work
export -f read_one
python3 tools/nzread tests/golden/good-empty.nz # compiles it once
archives | xargs -P "$(nproc)" -I ARCHIVE bash -c 'read_one ARCHIVE'
for archive in $(archives); do
    name=$work/$(basename "$archive" .nz)
    if judge "$archive" "$(cat "$name.status")" "$name.out"; then
        ok "reading $archive"
    else
        fail "reading $archive: exit status $(cat "$name.status")"
        tail -n 3 "$name.log"
    fi
done
tally_end
