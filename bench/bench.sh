#!/usr/bin/env bash
# Sizes, CPU seconds and memory of every level on known files, into bench/results/sizes.csv; rows
# of the same input, suite, backend and threads are replaced. The sizes are the same on any machine.
# Suites: level-N as users get it; cold-N with --no-prior, where that makes a difference.
#   LEVELS="1 5" FILES="a b" THREADS=2 NZ_DATA=folder bench/bench.sh
# seconds: user CPU of packing, all threads, start-up included. rss: KiB. The round trip is checked.
set -u
cd "$(dirname "$0")/.."
. tools/measure.sh
data=${NZ_DATA:-../shared/data}
levels=${LEVELS:-1 2 3 4 5 6 7 8 9}
threads=${THREADS:-1}
nzip=${NZIP:-./nzip}
files=${FILES:-$data/enwik/enwik6 $data/canterbury/alice29.txt $data/canterbury/kennedy.xls
$data/misc/openssl.elf $data/misc/camera.pgm $data/misc/exploBig.wav $data/misc/twitter.json
$data/misc/apache.log}
results=bench/results/sizes.csv
header=suite,input,backend,threads,raw,packed,seconds,rss,commit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
backend=$("$nzip" --version | sed -n 's/^kernels: \([a-z0-9]*\).*/\1/p')
commit=$(git rev-parse --short HEAD 2>/dev/null || echo none)
[ -z "$(git status --porcelain src 2>/dev/null)" ] || commit=$commit+

# enwik6 is by definition the first million bytes of enwik8; enwik3m are the first three.
find_input() {
    local prefix count=0
    prefix=$(dirname "$1")/enwik8.prefix
    input=$1
    case $(basename "$1") in
        enwik6) count=1000000 ;;
        enwik3m) count=3000000 ;;
    esac
    if [ ! -e "$1" ] && [ $count != 0 ] && [ -e "$prefix" ]; then
        input=$work/$(basename "$1")
        head -c $count "$prefix" >"$input"
    fi
    [ -r "$input" ] || { echo "skipped: $1 is not there" >&2 && return 1; }
}

one_row() { # SUITE OPTIONS...
    local suite=$1 name raw packed pack_s pack_rss check=same
    shift
    name=$(basename "$input")
    raw=$(stat -c %s "$input")
    measure "$nzip" "$@" -T"$threads" -qc "$input" >"$work/packed" || status=1
    pack_s=$user_s pack_rss=$rss
    measure "$nzip" -dqc -T"$threads" "$work/packed" >"$work/back"
    cmp -s "$input" "$work/back" || { check=DIFFERENT && status=1; }
    packed=$(stat -c %s "$work/packed")
    printf '%-20s %7s %10d %10d %7s %9s %9s %8s  %s\n' "$name" "$suite" "$raw" "$packed" \
        "$(bits_per_byte "$packed" "$raw")" "$pack_s" "$user_s" "$((${pack_rss:-0} / 1024))" $check
    echo "$suite,$name,$backend,$threads,$raw,$packed,$pack_s,$pack_rss,$commit" >>"$work/rows"
}

# New rows first, then old ones of other keys; sorted by input, level, backend, threads.
merge_rows() {
    mkdir -p "$(dirname $results)"
    [ ! -e $results ] || tail -n +2 $results >"$work/old"
    touch "$work/rows" "$work/old"
    { echo $header && cat "$work/rows" "$work/old" | awk -F, '!seen[$1, $2, $3, $4]++' |
        LC_ALL=C sort -t, -k2,2 -k1,1 -k3,3 -k4,4n; } >"$work/new"
    cp "$work/new" $results
}

printf '%-20s %7s %10s %10s %7s %9s %9s %8s\n' input suite raw packed bpb pack_s unpack_s MiB
for file in $files; do
    find_input "$file" || continue
    primed=
    "$nzip" -1 -qc "$input" | cmp -s - <("$nzip" -1 --no-prior -qc "$input") || primed=yes
    for level in $levels; do
        one_row "level-$level" "-$level"
        [ -z "$primed" ] || one_row "cold-$level" "-$level" --no-prior
    done
done
[ ! -e "$work/rows" ] || merge_rows
exit $status
