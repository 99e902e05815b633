# Sourced by the test scripts: counts, and one way to report them.
#
# ok NAME, fail NAME, check NAME COMMAND...; tally_end prints the counts, or appends them to the
# file $NZ_TALLY when tests/check.sh adds several scripts up, and sets the exit status.
passed=0
failed=0

ok() {
    passed=$((passed + 1))
    [ -z "${NZ_VERBOSE:-}" ] || echo "ok   $*"
}

fail() {
    failed=$((failed + 1))
    echo "FAIL $*"
}

check() {
    local name=$1
    shift
    if "$@"; then ok "$name"; else fail "$name: $*"; fi
}

tally_end() {
    if [ -n "${NZ_TALLY:-}" ]; then
        echo "$passed $failed" >>"$NZ_TALLY"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" = 0 ]
}
