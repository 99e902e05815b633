# Sourced by the demo and the benchmarks.

# measure COMMAND...: runs it, sets $user_s (CPU seconds, all threads), $wall_s and $rss (KiB,
# empty without GNU time).
measure() {
    local log start
    log=$(mktemp)
    start=$EPOCHREALTIME
    rss=
    if [ -x /usr/bin/time ]; then
        /usr/bin/time -q -o "$log" -f '%U %M' "$@"
        measured=$?
        read -r user_s rss < <(tail -n 1 "$log")
    else
        local TIMEFORMAT=%U
        { time "$@" 2>/dev/null; } 2>"$log"
        measured=$?
        user_s=$(tail -n 1 "$log")
    fi
    wall_s=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
    rm -f "$log"
    return $measured
}

bits_per_byte() { # PACKED RAW
    awk -v c="$1" -v n="$2" 'BEGIN { printf n ? "%.3f" : "-", 8 * c / n }'
}
