#!/usr/bin/env bash
# Checkpoints: sizes into bench/results/weights.csv (the same on any machine for the same version of
# a rival) and speeds of large files into bench/results/weights-speed.csv; rows measured before are
# replaced. Tables and our targets are printed.
#   NZ_DATA=folder NZ_FULL=folder NZ_PYTHON=python bench/weights.sh
#   FILES="a b" MODES="turbo fast max" ROUNDS=5 PARTS="sizes speed"
# NZ_FULL: what bench/weights-data.sh made. NZ_PYTHON: a python that has zipnn; without it that rival
# is left out. Everything is in memory, start-up and reading the file excluded, round trips checked.
# The contestants hold their file and take turns, ROUNDS times after one to warm up, and the best
# round counts: MB/s by CPU time of all threads, and by the clock.
# memory: "warm" has heaps that never give pages back, as in a process that has packed before;
# "fresh" has every large block come from the system untouched, as in a first call.
set -u
trap '' PIPE # a contestant that died must not end the others
cd "$(dirname "$0")/.."
data=${NZ_DATA:-../shared/data}
full=${NZ_FULL:-}
python=${NZ_PYTHON:-python3}
modes=${MODES:-turbo fast}
rounds=${ROUNDS:-5}
parts=${PARTS:-sizes speed}
bench=${BENCH:-build/bench/weights}
small=$((16 << 20)) # bytes; larger files are timed, and too large for 1 MB/s
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
commit=$(git rev-parse --short HEAD 2>/dev/null || echo none)
[ -z "$(git status --porcelain src 2>/dev/null)" ] || commit=$commit+
warm="MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_ARENA_MAX=1"
fresh="MALLOC_MMAP_THRESHOLD_=131072"
ask=() answer=() pid=()

files=${FILES:-"$(echo "$data"/weights/*) ${full:+$(echo "$full"/*.safetensors "$full"/*.gguf)}"}
[ -n "${FILES:-}$full" ] ||
    echo "skipped: full-size files and all speeds; see bench/weights-data.sh, set NZ_FULL" >&2
[ -n "${NZ_PYTHON:-}" ] || echo "skipped: ZipNN; set NZ_PYTHON to a python that has it" >&2

dtype() { # FILE: of most of its numbers
    case ${1##*/} in
        *.bf16.*) echo bf16 ;;
        *.fp16.*) echo fp16 ;;
        *.fp8.* | *.int8.* | *.gguf) echo fp8 ;;
        *) echo fp32 ;;
    esac
}

# A contestant is a process that answers each line with a row. It must not hold the other pipes
# open: they leave at the end of theirs.
enter() { # warm|fresh COMMAND...
    local n=${#pid[@]} to from
    mkfifo "$work/to" "$work/from"
    (
        for fd in "${ask[@]}" "${answer[@]}"; do exec {fd}>&-; done
        exec env ${!1} "${@:2}"
    ) <"$work/to" >"$work/from" &
    pid[n]=$!
    exec {to}>"$work/to" {from}<"$work/from"
    rm "$work/to" "$work/from"
    ask[n]=$to answer[n]=$from
}

enter_ours() { # warm|fresh MODE THREADS FILE
    local new=
    [ "$1" = warm ] || new=-f
    enter "$1" "$bench" -s $new -m "$2" -T "$3" "$4"
}

# One tensor read from the archive, where the library can.
enter_tensor() { # warm|fresh MODE FILE
    if grep -q nz_tensor_read src/nz.h; then
        enter "$1" "$bench" -s -t -m "$2" "$3"
    fi
}

enter_rival() { # warm|fresh NAME FILE
    if [ "$2" != zipnn ] || [ -n "${NZ_PYTHON:-}" ]; then
        enter "$1" "$python" bench/weights-rival.py "$2" "$(dtype "$3")" "$1" "$3"
    fi
}

enter_planes() { # FILE
    [ "$(dtype "$1")" = fp8 ] || enter_rival warm planes "$1"
}

take_turns() { # ROUNDS
    local i n fd row
    for ((i = 0; i < $1; i++)); do
        for n in "${!pid[@]}"; do
            { echo go >&"${ask[n]}"; } 2>/dev/null && read -r row <&"${answer[n]}" && echo "$row"
        done
    done
    for fd in "${ask[@]}" "${answer[@]}"; do exec {fd}>&-; done
    for n in "${pid[@]}"; do
        wait "$n" || status=1
    done
    ask=() answer=() pid=()
}

sizes_of() { # FILE BYTES
    local mode
    for mode in $modes; do
        if [ "$mode" = max ] && [ "$2" -gt $small ] && [ -z "${FILES:-}" ]; then
            echo "skipped: max on ${1##*/}; name it in FILES" >&2
        else
            enter_ours warm "$mode" 2 "$1"
        fi
    done
    enter_rival warm zstd "$1"
    enter_planes "$1"
    [ "$2" -gt $small ] || enter_rival warm xz "$1"
    enter_rival warm zipnn "$1"
    take_turns 1 >>"$work/sizes"
}

speed_of() { # FILE
    local mode fast_modes=${modes//max/}
    for mode in $fast_modes; do enter_ours warm "$mode" 1 "$1"; done
    enter_rival warm zipnn "$1"
    for mode in $fast_modes; do
        enter_ours warm "$mode" 2 "$1"
        enter_tensor warm "$mode" "$1"
    done
    enter_rival warm zstd "$1"
    enter_planes "$1"
    take_turns $((rounds + 1)) >>"$work/speed"
    for mode in $fast_modes; do enter_ours fresh "$mode" 1 "$1"; done
    enter_rival fresh zipnn "$1"
    take_turns $((rounds + 1)) >>"$work/speed"
}

# New rows first, then old ones of other keys (the first FIELDS); in the order of input, then key.
merge() { # RESULTS HEADER FIELDS <rows
    local key='$1' i
    for ((i = 2; i <= $3; i++)); do key="$key,\$$i"; done
    { cat && { [ ! -e "$1" ] || tail -n +2 "$1"; }; } | awk -F, "!seen[$key]++" |
        LC_ALL=C sort -t, -k2,2 -k1,1 -k3 >"$work/merged"
    { echo "$2" && cat "$work/merged"; } >"$1"
}

save_sizes() {
    awk -F, -v commit="$commit" -v OFS=, '{
        print $1, $2, $3, $7, $8, sprintf("%.4f", $7 ? $8 / $7 : 0), $1 == "nzip" ? commit : "-"
    }' "$work/sizes" >"$work/new"
    merge bench/results/weights.csv suite,input,mode,raw,packed,ratio,commit 3 <"$work/new"
    column -s, -t <(echo suite,input,mode,raw,packed,ratio,commit) "$work/new" 2>/dev/null ||
        cat "$work/new"
}

save_speed() {
    # The best of each column; an archive of ours must not depend on threads or memory.
    awk -F, -v commit="$commit" -v OFS=, '
        { key = $1; for (i = 2; i <= 6; i++) key = key OFS $i }
        $1 ~ /^nzip/ && ($2, $3) in size && size[$2, $3] != $8 {
            print "DIFFERENT archives of " $2 > "/dev/stderr"
            bad = 1
        }
        { size[$2, $3] = $8; packed[key] = $7 OFS $8 }
        { for (i = 9; i <= 12; i++) if ($i > best[key, i]) best[key, i] = $i }
        END {
            for (key in packed)
                print key, packed[key], best[key, 9], best[key, 10], best[key, 11], best[key, 12], \
                    key ~ /^nzip/ ? commit : "-"
            exit bad
        }' "$work/speed" | LC_ALL=C sort -t, -k2,2 -k6,6r -k1,1 -k3 >"$work/new"
    [ "${PIPESTATUS[0]}" = 0 ] || status=1
    merge bench/results/weights-speed.csv "$speed_header" 6 <"$work/new"
    echo
    column -s, -t <(echo "$speed_header") "$work/new" 2>/dev/null || cat "$work/new"
    echo
    targets <"$work/new"
}
speed_header=suite,input,mode,backend,threads,memory,raw,packed,pack_MBps,unpack_MBps
speed_header+=,pack_wall_MBps,unpack_wall_MBps,commit

# By CPU time, but two threads by the clock: that wants a second core that nobody else uses.
targets() {
    awk -F, '
        { k = $1 "/" $3 "/" $5 "/" $6 "/" $2; if ($1 == "zipnn") k = "zipnn/" $6 "/" $2 }
        { raw[k] = $7; ratio[k] = $8 / $7; pack[k] = $9; unpack[k] = $10 }
        { pack_wall[k] = $11; unpack_wall[k] = $12; input[$2] }
        function say(what, value, least, most) {
            printf "%-70s %7.2f  %s %.2f: %s\n", what, value, most ? "at most" : "at least",
                most ? most : least, (most ? value <= most : value >= least) ? "met" : "NOT MET"
        }
        function against_zipnn(f, memory,  a, b) {
            a = "nzip/fast/1/" memory "/" f; b = "zipnn/" memory "/" f
            if (!(a in pack) || !(b in pack)) return
            say(f ": fast packs, times ZipNN, " memory, pack[a] / pack[b], 1.5)
            say(f ": fast unpacks, times ZipNN, " memory, unpack[a] / unpack[b], 1.5)
        }
        function two_threads(f, one, two,  busy) {
            busy = unpack_wall[two] < 1.3 * unpack[two] ? " (no second core was free)" : ""
            say(f ": two threads pack, times one" busy, pack_wall[two] / pack_wall[one], 1.8)
            say(f ": two threads unpack, times one" busy, unpack_wall[two] / unpack_wall[one], 1.8)
        }
        END {
            for (f in input) {
                one = "nzip/fast/1/warm/" f; two = "nzip/fast/2/warm/" f
                turbo = "nzip/turbo/1/warm/" f; tensor = "nzip-tensor/fast/1/warm/" f
                if (f ~ /fp32/ && tensor in raw && one in raw)
                    say(f ": one tensor, % of the time of all",
                        100 * raw[tensor] / unpack[tensor] / (raw[one] / unpack[one]), 0, 5)
                if (f ~ /bf16/ && turbo in raw) {
                    say(f ": turbo unpacks, GB/s a core", unpack[turbo] / 1000, 4)
                    say(f ": turbo, ratio", ratio[turbo], 0, .71)
                }
                if (f !~ /(bf16|fp32)/) continue
                against_zipnn(f, "warm")
                against_zipnn(f, "fresh")
                if (one in raw && two in raw) two_threads(f, one, two)
            }
        }' | LC_ALL=C sort
}

echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)," \
    "load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null), nzip at $commit"
for file in $files; do
    [ -r "$file" ] || { echo "skipped: $file is not there" >&2 && continue; }
    bytes=$(stat -c %s "$file")
    [[ $parts != *sizes* ]] || sizes_of "$file" "$bytes"
    if [[ $parts == *speed* ]] && { [ "$bytes" -gt $small ] || [ -n "${FILES:-}" ]; }; then
        speed_of "$file"
    fi
done
[ ! -s "$work/sizes" ] || save_sizes
[ ! -s "$work/speed" ] || save_speed
exit $status
