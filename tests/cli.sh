#!/usr/bin/env bash
# The command as a user meets it. NZIP=path; NZ_SHORT=1 leaves out what takes long.
# tests/cli.sh [SHARE OF]: only every OF-th test, from the SHARE-th on, so that shares run side by side.
# Every test runs in an empty folder of its own, with the archive format treated as opaque.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
. tests/lib/inputs.sh
. tests/lib/reports.sh
top=$(mktemp -d)
trap 'chmod -R u+w "$top"; rm -rf "$top"' EXIT
chmod 755 "$top"
cp "${NZIP:-./nzip}" "$top/nzip"
nzip=$top/nzip
unset NZIP_OPT
export LC_ALL=C
text_input 20000 >"$top/text"
text_input 300000 >"$top/long"
random_input 100000 >"$top/random"
fixture=tests/containers/all.safetensors
cp $fixture "$top/checkpoint"
fixture=$PWD/$fixture
prose=$PWD/README.md

# ---- What the tests are written with ----

# test_case NAME FUNCTION: in a fresh folder; FUNCTION returns 0 or says what is wrong.
test_case() {
    local folder=$top/case why
    mkdir "$folder"
    if why=$(cd "$folder" && exec </dev/null && "$2" 2>&1); then
        ok "$1"
    else
        fail "$1${why:+: $why}"
    fi
    chmod -R u+w "$folder"
    rm -rf "$folder"
}

# status N COMMAND...: stderr is kept in ./err, out of the way of names under test.
status() {
    local want=$1 got
    shift
    "$@" 2>"$top/err"
    got=$?
    [ $got = "$want" ] || { echo "exit $got, not $want: $*: $(head -n 3 "$top/err")" && return 1; }
}

says() { # WORDS
    grep -qF -- "$1" "$top/err" || { echo "no '$1' in: $(head -n 3 "$top/err")" && return 1; }
}

silent() {
    [ ! -s "$top/err" ] || { echo "said: $(head -n 3 "$top/err")" && return 1; }
}

only() { # NAMES...: the folder holds these and nothing else, hidden files included
    local have want
    have=$(ls -A)
    want=$(printf '%s\n' "$@" | sort)
    [ "$have" = "$want" ] || { echo "folder has: $have" && return 1; }
}

flip() { # FILE OFFSET MASK >RESULT
    perl -e 'local $/; open my $f, "<:raw", $ARGV[0]; my $d = <$f>; binmode STDOUT;
        substr($d, $ARGV[1], 1) = chr(ord(substr($d, $ARGV[1], 1)) ^ $ARGV[2]); print $d' "$@"
}

# ---- Round trips ----

trip_file() {
    cp "$top/text" a
    status 0 "$nzip" -1 a && silent && only a a.nz || return
    mv a b
    status 0 "$nzip" -d a.nz && silent && only a a.nz b && cmp a b
}

trip_levels() {
    local level
    head -c 3000 "$top/text" >a
    for level in 1 2 3 4 5 6 7 8 9; do
        status 0 "$nzip" -$level -c a >a.nz && status 0 "$nzip" -dc a.nz >b && cmp a b || return
    done
}

trip_default_and_aliases() {
    head -c 3000 "$top/text" >a
    "$nzip" -c a >0.nz && "$nzip" -5 -c a >5.nz && cmp 0.nz 5.nz || return
    "$nzip" --fast -c a >f.nz && "$nzip" -1 -c a >1.nz && cmp f.nz 1.nz || return
    "$nzip" --best -c a >b.nz && "$nzip" -9 -c a >9.nz && cmp b.nz 9.nz
}

trip_pipes() {
    status 0 "$nzip" -1 <"$top/text" >a.nz && status 0 "$nzip" -d <a.nz >b && cmp "$top/text" b &&
        cat "$top/text" | "$nzip" -1 | "$nzip" -dc - >c && cmp "$top/text" c
}

pipe_gives_the_same_bytes() {
    cp "$top/text" a
    "$nzip" -1 a && "$nzip" -1 -c a >b.nz && cmp a.nz b.nz
}

trip_empty() {
    : >a
    status 0 "$nzip" a && rm a && status 0 "$nzip" -d a.nz && [ -e a ] && [ ! -s a ]
}

trip_tiny() {
    local n
    for n in 1 2 3 7 8 9 63 64 65; do
        head -c $n "$top/text" >a
        status 0 "$nzip" -f a && mv a b && status 0 "$nzip" -d a.nz && cmp a b || return
    done
}

trip_random() {
    cp "$top/random" a
    status 0 "$nzip" a && mv a b && status 0 "$nzip" -d a.nz && cmp a b || return
    local n
    n=$(stat -c %s a.nz)
    [ "$n" -le $((100000 + 100 + 64)) ] || { echo "random data became $n bytes" && return 1; }
}

trip_frames() {
    status 0 "$nzip" -1 --frame 64K -c "$top/long" >a.nz && "$nzip" -dc a.nz | cmp - "$top/long"
}

threads_change_nothing() {
    local t
    for t in 1 2 4 0; do
        status 0 "$nzip" -1 --frame=64K -T$t -c "$top/long" >$t.nz && cmp 1.nz $t.nz || return
        status 0 "$nzip" -dc -T$t 1.nz | cmp - "$top/long" || return
    done
}

concatenation() {
    "$nzip" -1 -c "$top/text" >a.nz && "$nzip" -2 -c "$top/random" >b.nz && cat a.nz b.nz >c.nz &&
        cat "$top/text" "$top/random" >want && status 0 "$nzip" -dc c.nz >got && cmp want got &&
        status 0 "$nzip" -dc a.nz b.nz >got && cmp want got
}

# ---- Names ----

several_files() {
    cp "$top/text" a
    cp "$top/random" b
    status 0 "$nzip" -1 a b && only a a.nz b b.nz && mkdir x && mv a.nz b.nz x &&
        status 0 "$nzip" -d x/a.nz x/b.nz && cmp a x/a && cmp b x/b
}

one_fails_the_rest_goes_on() {
    cp "$top/text" a
    status 1 "$nzip" -1 missing a && says "nzip: missing: No such file" && only a a.nz
}

strange_names() {
    local name
    for name in "two words" $'new\nline' "-dash" "--rm" ".nz" "é" '*' "q\"'" $'\xff\x9b' $'\e[2J'; do
        cp "$top/text" "./$name"
        status 0 "$nzip" -1 -- "$name" && mv "./$name" want && status 0 "$nzip" -d -- "$name.nz" &&
            cmp want "./$name" || return
    done
}

# zcat -f: logs, some packed and some not, from files and through pipes.
foreign_files() {
    cp "$top/text" a
    "$nzip" -1 -c "$top/random" >b.nz && : >c && cat a "$top/random" >want &&
        status 0 "$nzip" -dcf a b.nz c >got && silent && cmp got want &&
        status 0 "$nzip" -dcf <a | cmp - a && status 0 "$nzip" -dcf <b.nz | cmp - "$top/random" &&
        cat a | status 0 "$nzip" -dcf | cmp - a && status 1 "$nzip" -dc a >got && [ ! -s got ] &&
        status 1 "$nzip" -df -o got a && status 1 "$nzip" -tf a || return
    head -c 100 b.nz >d.nz
    status 1 "$nzip" -dcf d.nz >got && [ ! -s got ] && says "d.nz: at byte 100: " &&
        status 1 "$nzip" -dcf a >/dev/full && says "No space left"
}

# Nothing of a name reaches the terminal as it is, valid UTF-8 but C1 controls does.
names_in_messages() {
    local name=$'\e]0;x\a\n\x9bm\xc2\x9b\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82\xe2\x28' want
    want='\x1b]0;x\x07\x0a\x9bm\xc2\x9bé€🙂\xe2('
    status 1 "$nzip" -1 "$name" && says "nzip: $want: No such file" && [ "$(wc -l <"$top/err")" = 1 ] || return
    cp "$top/text" "$name"
    status 0 "$nzip" -1v "$name" && says "nzip: $want: 20000 -> " && status 2 "$nzip" -1 "$name.nz" &&
        says "$want.nz: already" && status 0 "$nzip" -l "$name.nz" >list && grep -qF "  $want.nz" list &&
        [ "$(wc -l <list)" = 2 ] && status 0 "$nzip" -lv "$name.nz" >list && grep -qF "  $want.nz" list || return
    command -v script >/dev/null || return 0
    script -qec "$nzip -1 '$name' </dev/null" /dev/null </dev/null >said
    ! grep -q $'\e' said || { cat -v said && return 1; }
}

existing_target() {
    cp "$top/text" a
    echo old >a.nz
    status 1 "$nzip" -1 a && says "nzip: a.nz: already exists" && [ "$(cat a.nz)" = old ] &&
        only a a.nz && status 0 "$nzip" -1 -f a && status 0 "$nzip" -t a.nz || return
    echo old >a
    status 1 "$nzip" -d a.nz && [ "$(cat a)" = old ] && status 0 "$nzip" -df a.nz &&
        cmp a "$top/text"
}

output_option() {
    cp "$top/text" a
    status 0 "$nzip" -1 -o x a && only a x && status 0 "$nzip" -d -o y x && cmp a y &&
        status 0 "$nzip" -d --output=z x && cmp a z &&
        status 0 "$nzip" -1 -o w <a && "$nzip" -d <w | cmp - a
}

output_is_input() {
    cp "$top/text" a
    status 1 "$nzip" -1 -f -o a a && says "same file" && cmp a "$top/text" && only a
}

output_to_device() {
    status 0 "$nzip" -1 -o /dev/null "$top/text" && [ -c /dev/null ]
}

# Somebody's pipe where the archive belongs: the file is not told to whoever reads it.
pipe_in_the_way() {
    cp "$top/text" a
    mkfifo a.nz
    status 1 "$nzip" -1 a && says "a.nz: already exists" && [ -p a.nz ] && status 0 "$nzip" -1f a &&
        [ -f a.nz ] && only a a.nz
}

suffix_when_packing() {
    "$nzip" -1 -c "$top/text" >a.nz
    status 2 "$nzip" -1 a.nz && says "a.nz: already ends in .nz" && only a.nz &&
        status 0 "$nzip" -1 -f a.nz && only a.nz a.nz.nz
}

suffix_when_unpacking() {
    "$nzip" -1 -c "$top/text" >a
    status 1 "$nzip" -d a && says "nzip: a: does not end in .nz" && only a &&
        "$nzip" -dc a | cmp - "$top/text"
}

directories() {
    mkdir -p d/e
    cp "$top/text" d/a
    cp "$top/random" d/e/b
    ln -s a d/link
    status 0 "$nzip" -1v d && says "d/link: is a symbolic link" && (cd d && only a a.nz e link) &&
        only d && rm d/a.nz && mkdir d/e/empty || return
    status 1 "$nzip" -1 -c d >c && says "d: is a directory" && [ ! -s c ] &&
        status 1 "$nzip" -1 -o c d && says "d: is a directory" || return
    status 0 "$nzip" -1 -r --rm d && silent && [ "$(cd d && find . | sort | tr '\n' ' ')" = \
        ". ./a.nz ./e ./e/b.nz ./e/empty ./link " ] || return
    status 0 "$nzip" -d d && silent && cmp d/a "$top/text" && (cd d/e && only b.nz empty) || return
    status 0 "$nzip" -1 -r -f d && (cd d && only a a.nz e link) || return
    status 1 "$nzip" -d -r d && says "d/a: already exists" && cmp d/e/b "$top/random" &&
        status 0 "$nzip" -t -r d && silent && status 0 "$nzip" -l -r d/ >list && silent &&
        grep -q '120000 .*(2 files)' list || return
    echo damaged >d/b.nz
    status 1 "$nzip" -t -r d && says "d/b.nz: " && status 0 "$nzip" -t d/e d/e/empty
}

# d holds what the first shard, one with the same tensor, an equal file and one of its own are.
shards() {
    mkdir d
    shard_input embed:1 a:2 >d/m
    shard_input b:3 head:1 >d/m.2
    cp d/m d/m.3
    shard_input b:3 c:4 >d/m.4
    cp "$top/text" d/text
    cp -r d want
}

# Loops of links, and paths longer than any name may be; what cannot be entered is said.
trees() {
    local i deep=d
    mkdir d
    ln -s . d/loop
    ln -s ../d d/back
    for i in $(seq 60); do deep=$deep/$i && mkdir "$deep"; done
    cp "$top/text" $deep/a
    for i in $(seq 150); do : >"d/many$i"; done
    mkfifo d/pipe
    status 0 "$nzip" -1r --rm d && silent && [ "$(find d -name '*.nz' | wc -l)" = 151 ] &&
        [ "$(find d -type f | wc -l)" = 151 ] && status 0 "$nzip" -dr d && cmp $deep/a "$top/text" || return
    (cd d && i=$(printf '%0200d' 0) && for _ in $(seq 21); do mkdir "$i" && cd "$i" || exit; done && : >a) || return
    status 1 "$nzip" -1fr d && says "File name too long" && [ -e d/many1.nz ] || return
    rm -r d/0*
    [ "$(id -u)" != 0 ] || return 0
    chmod 0 d/1
    status 1 "$nzip" -1fr d && says "d/1: Permission denied"
}

# while_it_asks LINE COMMAND...: LINE on a terminal, what it says into `said`; when it asks whether to
# overwrite, COMMAND runs, and the answer is no. The exit status is LINE's.
while_it_asks() {
    local answer status
    mkfifo "$top/answer"
    script -qec "$1" /dev/null <"$top/answer" >said &
    exec {answer}>"$top/answer"
    for _ in $(seq 100); do
        ! grep -q overwrite said || break
        sleep 0.05
    done
    "${@:2}"
    echo n >&$answer
    exec {answer}>&-
    wait $!
    status=$?
    rm "$top/answer"
    return $status
}

# What another removes while we are at work is an error, not the end.
vanishing() {
    command -v script >/dev/null || return 0
    mkdir d
    cp "$top/text" d/a
    cp "$top/text" d/b
    cp "$top/text" d/c
    echo old >d/a.nz
    while_it_asks "$nzip -1 d" rm d/b
    [ $? = 1 ] && grep -q "d/b: No such file" said && (cd d && only a a.nz c c.nz) || { cat said && return 1; }
}

hard_links() {
    cp "$top/text" a
    ln a b
    status 2 "$nzip" -1 --rm a && says "a: has other hard links" && only a b &&
        status 2 "$nzip" -1 --rm -o x a && only a b && status 0 "$nzip" -1 a && only a a.nz b &&
        status 0 "$nzip" -1 -f --rm a && only a.nz b && cmp b "$top/text" || return
    ln a.nz c.nz
    status 2 "$nzip" -d --rm a.nz && only a.nz b c.nz && rm c.nz && status 0 "$nzip" -d --rm a.nz && only a b &&
        status 0 env NZIP_OPT=--rm "$nzip" -t <(NZIP_OPT= "$nzip" -1c a)
}

# A socket has no contents; only regular files get an output beside them.
sockets() {
    perl -e 'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) && bind($s, sockaddr_un("s")) or exit 1' || return 0
    status 2 "$nzip" -1 s && says "s: is not a regular file" && status 1 "$nzip" -1c s >/dev/null &&
        says "nzip: s: " && status 0 "$nzip" -1 . && only s
}

size_of() { stat -c %s "$1"; }

sharing() {
    shards
    status 0 "$nzip" -3 d && says "d/m.2.nz needs d/m, or its archive, beside it to unpack (1 tensor, 128 KiB shared)" &&
        says "d/m.3.nz needs d/m," && says "(2 tensors, 256 KiB shared)" &&
        [ "$(wc -l <"$top/err")" = 2 ] || return 1
    "$nzip" -3 -c d/m.2 >alone.nz && status 0 "$nzip" -t --base none alone.nz || return 1
    [ "$(size_of d/m.2.nz)" -lt $((100000 + 500)) ] && [ "$(size_of d/m.3.nz)" -lt 700 ] &&
        [ "$(size_of alone.nz)" -gt 180000 ] && [ "$(size_of d/m.4.nz)" -gt 180000 ] ||
        { ls -l d alone.nz && return 1; }
    "$nzip" -3 -c d/m | cmp - d/m.nz && "$nzip" -3 -c d/m.4 | cmp - d/m.4.nz || return 1
    status 0 "$nzip" -l d >list && silent && grep -q 'delta .* head' list || return 1
    status 0 "$nzip" -t d && silent && status 0 "$nzip" -T1 -3 -f -q d && silent || return 1
    "$nzip" -dc --tensor head d/m.2.nz >head && "$nzip" -dc --tensor embed d/m.nz | cmp - head
}

# A tensor of the base's name but of other contents is left to the model that learns.
sharing_at_max() {
    mkdir d
    shard_input embed:1 a:2 >d/m
    shard_input embed:1 a:3 >d/m.2
    status 0 "$nzip" -7 -q d && "$nzip" -l d/m.2.nz >list && grep -q 'delta .* embed$' list &&
        grep -q ' max .* a$' list && status 0 "$nzip" -t d || { cat list && return 1; }
}

# Names are such that the archives come before that of their base.
sharing_in_any_order() {
    local i
    shards
    status 0 "$nzip" -3 -q --rm d && (cd d && only m.nz m.2.nz m.3.nz m.4.nz text.nz) &&
        status 0 "$nzip" -t d && silent || return 1
    status 0 "$nzip" -dv d/m.2.nz && says "d/m.2.nz: its base is d/m.nz" && cmp d/m.2 want/m.2 &&
        rm d/m.2 || return 1
    status 0 "$nzip" -tv d && says "d/m.2.nz: its base is d/m.nz" &&
        says "d/m.3.nz: its base is d/m.nz" || return 1
    (cd d && status 0 "$nzip" -dv --rm m.nz m.3.nz && says "m.3.nz: its base is m") || return 1
    status 0 "$nzip" -dc d/m.2.nz | cmp - want/m.2 && status 0 "$nzip" -dc --tensor b d/m.2.nz >/dev/null &&
        status 0 "$nzip" -d --rm d && silent && diff -r d want || return 1
    for i in 1 2; do
        status 0 "$nzip" -3 -q --rm d && status 0 "$nzip" -d --rm d && silent && diff -r d want || return 1
    done
}

sharing_without_the_base() {
    shards
    "$nzip" -3 -q --rm d && mkdir e && mv d/m.nz e || return 1
    status 1 "$nzip" -d d && says "d/m.2.nz: packed against a base file of $(size_of want/m) bytes, XXH3-128 " &&
        says "not in its folder" && says --base && (cd d && only m.2.nz m.3.nz m.4 m.4.nz text text.nz) &&
        cmp d/m.4 want/m.4 || return 1
    status 1 "$nzip" -t --base=d/m.4 d/m.2.nz && says "another base file" &&
        status 0 "$nzip" -t --base=e/m.nz d/m.2.nz d/m.3.nz && status 0 "$nzip" -l d/m.2.nz >list &&
        status 1 "$nzip" -dc --tensor b d/m.2.nz >b && says "not in its folder" && [ ! -s b ] || return 1
    flip want/m 99999 1 >d/m
    status 1 "$nzip" -t d/m.2.nz && says "not in its folder" || return 1
    flip e/m.nz 99999 1 >d/m.nz
    status 1 "$nzip" -t d/m.2.nz && says "d/m.nz: at byte 8: " && says "not in its folder" || return 1
    cp e/m.nz d/other.nz
    status 0 "$nzip" -tv d/m.2.nz && says "its base is d/other.nz" || return 1
    status 1 "$nzip" -t --memory 100K d/m.2.nz && says "d/m.nz: needs more memory" || return 1
    status 1 "$nzip" -t --base none d/m.2.nz && says "packed against a base file"
    status 1 "$nzip" -t <d/m.2.nz && says "packed against a base file"
}

not_sharing() {
    shards
    status 0 "$nzip" -3 --base=none d && silent || return 1
    local name
    for name in d/m*.nz; do
        "$nzip" -3 -c "${name%.nz}" | cmp - "$name" || return 1
    done
    status 0 "$nzip" -3 -f d/m d/m.2 && silent && status 0 "$nzip" -3 -f --weights=off d && silent &&
        status 0 "$nzip" -t --base none d || return 1
    mkdir d/e
    mv d/m.2 d/e
    rm d/m.3 d/m.[23].nz
    status 0 "$nzip" -3 -f -r d && silent || return 1
    status 0 "$nzip" -3 -f --base want/m d && silent && rm d/m && status 1 "$nzip" -t d &&
        status 0 "$nzip" -t --base want/m d
}

links_and_devices() {
    cp "$top/text" a
    ln -s a l
    mkfifo p
    status 2 "$nzip" -1 l p && says "l: is a symbolic link" && says "p: is not a regular file" &&
        only a l p && status 0 "$nzip" -1 -f l && only a l l.nz p &&
        status 0 "$nzip" -1 -c l >/dev/null && status 2 "$nzip" -1 -q l && silent
}

# ---- Options ----

combined_options() {
    cp "$top/text" a
    status 0 "$nzip" -1kf a && "$nzip" -dc a.nz | cmp - a && "$nzip" -kdcT1 a.nz | cmp - a &&
        "$nzip" --decompress --stdout --threads=2 a.nz | cmp - a && "$nzip" -z1c a | cmp - a.nz
}

wrong_options() {
    local wrong
    cp "$top/text" a
    for wrong in -x -0 --nothing -T -Tx -T-1 --memory=x --memory=0 --memory=200% --frame=1Q --frame=1 \
        --frame=99999999999999999999 "-c -o x" "-c --rm" "-c --check"; do
        status 1 "$nzip" $wrong a && says "nzip: " && only a || return
    done
    cp a b
    status 1 "$nzip" -o x a b && says "-o takes one input"
}

# Those of zstd, in one word or among other letters; -1 -9 are two options.
high_levels() {
    local level
    export NZIP_OPT=--no-prior
    head -c 300 "$top/text" >a
    "$nzip" -9 -c a >9.nz
    for level in -19 -10 -k22T1 "-1 -12 --force"; do
        status 0 "$nzip" $level -c a >b.nz && says "highest level is -9" && cmp 9.nz b.nz || return
    done
    NZIP_OPT="--no-prior -19" status 0 "$nzip" -c a >b.nz && cmp 9.nz b.nz && status 0 "$nzip" -q19 -c a >b.nz &&
        silent && cmp 9.nz b.nz && status 0 "$nzip" -1 -9 -c a >b.nz && silent && cmp 9.nz b.nz &&
        status 0 "$nzip" -19 -1 -c a >b.nz && silent && "$nzip" -1 -c a | cmp - b.nz
}

help_and_version() {
    "$nzip" --help | grep -q -- '--decompress' && "$nzip" -h | grep -q '^Usage: nzip' &&
        "$nzip" -V | grep -q '^nzip [0-9]' && "$nzip" --version | grep -qE 'c|avx2|neon'
}

environment() {
    "$nzip" -1 -c "$top/text" >1.nz && "$nzip" -2 -c "$top/text" >2.nz &&
        NZIP_OPT="-2 --threads=1" "$nzip" -c "$top/text" | cmp - 2.nz &&
        NZIP_OPT=-2 "$nzip" -1 -c "$top/text" | cmp - 1.nz &&
        NZIP_OPT="-1 name" status 1 "$nzip" -c "$top/text" >/dev/null && says "NZIP_OPT" || return
    cp "$top/text" a
    export NZIP_OPT="-1 --rm --check"
    status 0 "$nzip" -c a >b.nz && status 0 "$nzip" -k a && status 0 "$nzip" -dc a.nz | cmp - a &&
        [ -e a.nz ] && status 0 "$nzip" -f a && [ ! -e a ] && status 0 "$nzip" -d a.nz &&
        [ ! -e a.nz ] && status 1 "$nzip" -c --rm a >c && says "exclude" && cmp a "$top/text"
}

called_by_other_names() {
    ln -s "$nzip" nzcat
    ln -s "$nzip" nunzip
    "$nzip" -1 -o a.nz "$top/text" && ./nzcat a.nz | cmp - "$top/text" && ./nunzip a.nz &&
        cmp a "$top/text"
}

removing() {
    cp "$top/text" a
    status 0 "$nzip" -1 --rm a && only a.nz && status 0 "$nzip" -d --rm a.nz && only a &&
        cmp a "$top/text" && echo old >a.nz && status 1 "$nzip" -1 --rm a && only a a.nz
}

checking() {
    cp "$top/text" a
    status 0 "$nzip" -1 --check a && only a a.nz && "$nzip" -dc a.nz | cmp - a
}

testing() {
    "$nzip" -1 -c "$top/text" >a.nz
    status 0 "$nzip" -t a.nz && silent && status 0 "$nzip" -tv a.nz && says "a.nz: " && only a.nz &&
        status 0 "$nzip" -t <a.nz
}

listing() {
    "$nzip" -1 -c "$top/text" >a.nz
    "$nzip" -2 --frame 100K -c "$top/long" >b.nz
    status 0 "$nzip" -l a.nz b.nz >list && silent && [ "$(wc -l <list)" = 4 ] || return
    local packed
    packed=$(stat -c %s a.nz)
    awk -v p="$packed" 'NR == 2 { exit !($1 == 1 && $2 == p && $3 == 20000 && $NF == "a.nz") }' \
        list && awk 'NR == 3 { exit !($1 == 3 && $3 == 300000) }' list &&
        awk 'NR == 4 { exit !($3 == 320000) }' list || { cat list && return 1; }
    status 0 "$nzip" -lv b.nz >list && [ "$(wc -l <list)" = 4 ] && status 0 "$nzip" -l <a.nz >list
}

# A thousand times its size, and large; more memory than there may be.
listing_bombs() {
    head -c 1M /dev/zero | "$nzip" -1 >a.nz
    status 0 "$nzip" -l a.nz >list && silent || return
    for _ in $(seq 64); do cat a.nz; done >b.nz
    status 2 "$nzip" -l b.nz >list && says "nzip: b.nz: unpacks to 64.0 MiB, " && says " times its size" &&
        [ "$(wc -l <list)" = 2 ] && status 2 "$nzip" -lq b.nz >list && silent || return
    "$nzip" -5 -c "$top/text" >c.nz
    status 0 "$nzip" -l c.nz >list && status 2 "$nzip" -l --memory 1M c.nz >list &&
        says "nzip: c.nz: unpacking it needs " && says "--memory" && [ "$(wc -l <list)" = 2 ]
}

# What was packed is unpacked, and listed by its kinds.
mixed() {
    cat "$top/text" >a && gzip -n <"$top/text" >>a && head -c 20000 "$nzip" >>a
    for level in 1 5; do
        "$nzip" -$level --no-prior -c a >a.nz && "$nzip" -dc a.nz | cmp - a || return 1
        [ "$(stat -c %s a.nz)" -lt "$(xz -9e <a | wc -c)" ] || return 1
        status 0 "$nzip" -l -v a.nz >list && grep -q mixed-$level list && silent || return 1
    done
    grep -q ' text$' list && grep -q ' binary$\| code$' list || { cat list && return 1; }
}

# ---- Tensors of checkpoints ----

listing_tensors() {
    cp "$top/checkpoint" a
    "$nzip" -1 -k a && status 0 "$nzip" -l a.nz >list && silent || return
    [ "$(awk 'NF && $NF ~ /^type/' list | wc -l)" = 19 ] || { cat list && return 1; }
    awk '$NF == "type.BF16" { exit !($2 == 240 && $5 == "BF16" && $6 == "3x40") }' list &&
        grep -q ' 8 .* with the rest F64  .* a.scalar$' list &&
        grep -q ' 0 .* 4x0x2 .* empty$' list && grep -q '60 .* BF16 .* quote " backslash' list &&
        [ "$(wc -l <list)" = 28 ] && status 0 "$nzip" -lq a.nz >quiet &&
        [ "$(wc -l <quiet)" = 24 ] || return
    "$nzip" -1 --weights=off -c a >b.nz && [ "$("$nzip" -l b.nz | wc -l)" = 2 ]
}

listing_parts() {
    cp "$top/checkpoint" a
    for level in 1 2 9; do
        "$nzip" -$level -c a >a.nz && status 0 "$nzip" -lv a.nz >list && silent || return 1
        awk -v n="$(stat -c %s a.nz)" '$NF == "tensor" { table = $1 }
            $1 == "bits" && $2 $3 $4 == "signexponentmantissa" { good++ }
            table == "packed" && $1 ~ /^[0-9]+$/ { sum += $1 }
            table == "bits" && $NF == "type.BF16" { good += $1 ~ /\/16$/ && $2 $3 $4 ~ /\/1.*\/8.*\/7$/ }
            table == "bits" && $NF == "tensors)" { types++ }
            / all of these tensors$/ { all = $1 }
            / the rest: / { rest = $1 }
            END { exit !(good == 2 && types > 2 && sum && sum == all && all + rest == n) }' list ||
            { cat list && return 1; }
    done
}

# What the list of the fixture says is in the file at OFFSET, SIZE bytes, must come out.
taking_tensors() {
    local name dtype shape offset size
    cp "$top/checkpoint" a
    "$nzip" -1 --rm a
    while IFS='|' read -r name dtype shape offset size; do
        tail -c +$((offset + 1)) "$top/checkpoint" | head -c "$size" >want
        status 0 "$nzip" -d -c --tensor "$name" a.nz >got && cmp want got || return
    done < <(tail -n +2 "$fixture.txt" | tr '\t' '|')
    rm want got
    status 0 "$nzip" -d --tensor=type.I8 --tensor type.U8 a.nz && silent &&
        only a.nz a.type.I8.bin a.type.U8.bin || return
    cat a.type.I8.bin a.type.U8.bin >both
    "$nzip" -dc --tensor type.I8 --tensor type.U8 a.nz | cmp - both &&
        "$nzip" -d --tensor type.U8 -o u a.nz && cmp u a.type.U8.bin &&
        "$nzip" -d --tensor type.U8 <a.nz | cmp - u || return
    status 1 "$nzip" -d --tensor type.U8 a.nz && says "a.type.U8.bin: already exists" &&
        status 0 "$nzip" -df --tensor type.U8 a.nz &&
        status 1 "$nzip" -d --tensor type.U8 -o a.nz a.nz && says "the same file"
}

tensor_names() {
    cp "$top/checkpoint" a
    "$nzip" -1 a && rm a
    status 1 "$nzip" -d --tensor type.I88 a.nz && says "nzip: a.nz: no tensor 'type.I88'" &&
        says "'type.I8'" && status 1 "$nzip" -d --tensor E4M3 a.nz && says "'type.F8_E4M3'" &&
        status 1 "$nzip" -d --tensor nothing.like.it a.nz && says "lists all 23" &&
        status 1 "$nzip" -d --tensor type.I8 --tensor $'\033[2J' a.nz && says '\x1b[2J' &&
        only a.nz || return
    "$nzip" -1 -c "$top/text" >b.nz && status 1 "$nzip" -d --tensor a b.nz &&
        says "b.nz: no tensor 'a': the archive lists none" && rm b.nz || return
    local header='{"../up/x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0%sdata" "$header" >c
    "$nzip" -1 --rm c && status 0 "$nzip" -d --tensor ../up/x c.nz &&
        only a.nz c..._up_x.bin c.nz && [ "$(cat c..._up_x.bin)" = data ]
}

tensor_damage() {
    local n at
    cp "$top/checkpoint" a
    "$nzip" -1 --rm a
    n=$(stat -c %s a.nz)
    flip a.nz $((n / 2)) 16 >b.nz
    status 1 "$nzip" -dc --tensor type.BF16 b.nz >got && says "nzip: b.nz: at byte 8: " &&
        [ ! -s got ] || return
    head -c $((n - 1)) a.nz >b.nz
    status 1 "$nzip" -dc --tensor type.BF16 b.nz >got && says "cut short" &&
        cat a.nz | status 1 "$nzip" -d --tensor type.I8 && says "not a file" &&
        status 1 "$nzip" -d --tensor x "$top/text" && says "not an nzip archive"
}

weights_option() {
    local mode
    cp "$top/checkpoint" a
    for mode in =auto =off =turbo =fast =max ''; do
        status 0 "$nzip" -1 --weights$mode -c a >"a$mode.nz" && "$nzip" -dc "a$mode.nz" | cmp - a ||
            return
    done
    cmp a.nz a=fast.nz && cmp a=auto.nz a=turbo.nz && "$nzip" -c a | cmp - a=fast.nz &&
        ! cmp -s a=off.nz a.nz && status 1 "$nzip" --weights=none a && says "'none'" &&
        status 1 "$nzip" --tensor x a && says "--tensor goes with -d" &&
        status 1 "$nzip" -d --rm --tensor x a.nz &&
        status 1 "$nzip" -d --tensor x --tensor y -o z a.nz && says "-o takes one --tensor"
}

priors() {
    cp "$prose" a
    local n level
    for level in 1 5; do
        "$nzip" -$level -T1 -c a >a.nz && "$nzip" -$level -T2 -c <a | cmp - a.nz &&
            "$nzip" -dc a.nz | cmp - a || return
        "$nzip" -$level --no-prior -c a >cold.nz && "$nzip" -dc cold.nz | cmp - a || return
        n=$(stat -c %s cold.nz)
        [ "$(stat -c %s a.nz)" -lt $((n - n / 10)) ] || { ls -l && return 1; }
        "$nzip" -lv a.nz | awk 'NR == 2 { exit $7 != "prose" }' &&
            "$nzip" -lv cold.nz | awk 'NR == 2 { exit $7 != "-" }' || return
    done
    "$nzip" -1 --prior=auto -c a | cmp - <("$nzip" -1 -c a) &&
        "$nzip" -1 --prior=off -c a | cmp - <("$nzip" -1 --no-prior -c a) || return
    for kind in prose markup code data; do
        "$nzip" -1 --prior=$kind -c a >$kind.nz && "$nzip" -dc $kind.nz | cmp - a &&
            "$nzip" -lv $kind.nz | awk -v kind=$kind 'NR == 2 { exit $7 != kind }' || return
    done
    cat a.nz code.nz >both.nz && "$nzip" -dc both.nz | cmp - <(cat a a) || return
    "$nzip" -1 --frame 64K -c "$top/long" | "$nzip" -dc -T2 | cmp - "$top/long" || return
    "$nzip" -1 -c "$top/random" >random.nz && "$nzip" -lv random.nz | awk 'NR == 2 { exit $7 != "-" }' &&
        status 1 "$nzip" --prior=latin a && says "'latin'"
}

verbose() {
    cp "$top/text" a
    status 1 "$nzip" -q missing && says missing && status 1 "$nzip" -qq missing && silent &&
        status 1 "$nzip" -qqt a && silent && status 0 "$nzip" -1v a && says "a: 20000 -> $(stat -c %s a.nz) (" && says " bpb)"
}

metadata() {
    cp "$top/text" a
    chmod 640 a
    touch -d '2001-02-03 04:05:06.123456789' a
    local want
    want=$(stat -c '%a %y %u %g' a)
    "$nzip" -1 a && [ "$(stat -c '%a %y %u %g' a.nz)" = "$want" ] && rm a && "$nzip" -d a.nz &&
        [ "$(stat -c '%a %y %u %g' a)" = "$want" ]
}

new_file_mode() {
    (umask 027 && "$nzip" -1 -o a <"$top/text") && [ "$(stat -c %a a)" = 640 ]
}

# ---- Trouble ----

full_disk() {
    status 1 "$nzip" -1 -c "$top/text" >/dev/full && says "No space left" &&
        "$nzip" -1 -c "$top/text" >a.nz && status 1 "$nzip" -dc a.nz >/dev/full &&
        says "No space left" && status 1 "$nzip" -1 -o /dev/full "$top/text" &&
        says "nzip: /dev/full: cannot write: No space left" &&
        status 1 "$nzip" --help >/dev/full
}

closed_pipe() {
    "$nzip" -1 -c "$top/random" >a.nz
    (trap '' PIPE && "$nzip" -dc a.nz 2>err; echo $? >code) | head -c 1 >/dev/null
    [ "$(cat code)" = 1 ] && [ ! -s err ]
}

no_such_folder() {
    cp "$top/text" a
    status 1 "$nzip" -1 -o no/a.nz a && says "nzip: no/a.nz: cannot create: No such file" &&
        status 1 "$nzip" -1 -o a/b a && says "Not a directory" && only a
}

read_only_folder() {
    mkdir d
    cp "$top/text" d/a
    chmod 644 d/a
    chmod 555 d
    chmod 755 .
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    status 1 "${as[@]}" "$nzip" -1 d/a && says "nzip: d/a.nz: cannot create: Permission denied" &&
        [ "$(ls -A d)" = a ]
}

unreadable_file() {
    cp "$top/text" a
    chmod 0 a
    chmod 777 .
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    status 1 "${as[@]}" "$nzip" -1 a && says "nzip: a: Permission denied" && only a
}

not_an_archive() {
    cp "$top/text" a.nz
    status 1 "$nzip" -d a.nz && says "nzip: a.nz: at byte 0: " && only a.nz &&
        status 1 "$nzip" -t a.nz && status 1 "$nzip" -l a.nz && : >b.nz &&
        status 1 "$nzip" -d b.nz && says "nzip: b.nz: at byte 0: " && only a.nz b.nz
}

garbage_behind() {
    "$nzip" -1 -c "$top/text" >a.nz && echo garbage >>a.nz && status 1 "$nzip" -d a.nz &&
        says "nzip: a.nz: at byte " && only a.nz
}

refused() { # ARCHIVE: cleanly, and without a trace
    status 1 "$nzip" -d "$1" && says "nzip: $1: at byte " && status 1 "$nzip" -t "$1" && only "$1"
}

# Every byte of the first headers and of the index, and some in between.
offsets() { # SIZE
    local ends=70 samples=50
    [ -z "${NZ_SHORT:-}" ] || ends=30 samples=10
    seq 0 $((ends - 1))
    seq $ends $(($1 / samples + 1)) $(($1 - ends))
    seq $(($1 - ends + 1)) $(($1 - 1))
}

truncated() {
    local n at
    head -c 3000 "$top/text" | "$nzip" -1 >"$top/whole"
    n=$(stat -c %s "$top/whole")
    for at in $(offsets "$n"); do
        head -c "$at" "$top/whole" >a.nz
        refused a.nz || { echo "cut to $at of $n bytes" && return 1; }
    done
}

corrupted() { # MASK
    local n at
    n=$(stat -c %s "$top/whole")
    for at in $(offsets "$n"); do
        flip "$top/whole" "$at" "$1" >a.nz
        refused a.nz || { echo "byte $at of $n changed by $1" && return 1; }
    done
}

corrupted_bit() {
    head -c 3000 "$top/text" | "$nzip" -1 >"$top/whole"
    corrupted 1
}

corrupted_byte() {
    head -c 70000 "$top/long" | "$nzip" -1 --frame 64K >"$top/whole"
    corrupted 255
}

corrupted_stored() {
    head -c 3000 "$top/random" | "$nzip" -1 >"$top/whole"
    corrupted 128
}

# Three frames, the second to be damaged at its byte 100.
salvage_input() {
    head -c 150000 "$top/long" >a
    "$nzip" -1 --no-prior --frame 64K -c a >a.nz
    second=$("$nzip" -lv a.nz | awk 'NR == 3 { print $1 }')
    third=$("$nzip" -lv a.nz | awk 'NR == 4 { print $1 }')
    flip a.nz $((second + 100)) 4 >b.nz
    { head -c 65536 a && head -c 65536 /dev/zero && tail -c +131073 a; } >want
}

salvaging() {
    local second third
    salvage_input
    status 1 "$nzip" -d b.nz && status 1 "$nzip" -d --salvage b.nz &&
        says "nzip: b.nz: bytes $second-$((third - 1)): " &&
        says ": lost bytes 65536-131071 of the raw data, now zeros" &&
        says "nzip: b.nz: saved 2 frames, 84464 bytes; lost 65536 bytes, now zeros" &&
        [ "$(wc -l <"$top/err")" = 2 ] && cmp b.salvaged want && only a a.nz b.nz b.salvaged want || return
    status 1 "$nzip" -d --salvage b.nz && says "b.salvaged: already exists" &&
        status 1 "$nzip" -dqf --salvage -T1 b.nz && says "lost bytes" && cmp b.salvaged want &&
        status 1 "$nzip" -dc --salvage b.nz >c && cmp c want &&
        status 1 "$nzip" -dc --salvage <b.nz >c && cmp c want &&
        status 1 "$nzip" -d --salvage -o d b.nz && cmp d want &&
        status 1 "$nzip" -t --salvage b.nz && says "lost bytes 65536-131071" || return
    cat b.nz | status 1 "$nzip" -dc --salvage >c && says "is not a file" && [ ! -s c ] || return
    status 0 "$nzip" -d --salvage a.nz && says "a.nz: undamaged: 3 frames, 150000 bytes" && cmp a a.salvaged
}

# Nothing of the data is in the head, or behind the archive.
salvaging_without_loss() {
    local second third
    salvage_input
    flip a.nz 2 1 >c.nz
    head -c 512 /dev/zero >>c.nz
    status 2 "$nzip" -d --salvage c.nz && says "c.nz: bytes 0-7: not an nzip archive; no data was there" &&
        says "c.nz: damaged, but nothing is lost: 3 frames, 150000 bytes" && cmp a c.salvaged &&
        status 2 "$nzip" -tq --salvage c.nz && silent || return
    echo more >>c.nz
    status 1 "$nzip" -t --salvage c.nz && says "an unknown number of bytes is lost at byte 150000 of the raw data"
}

salvaging_of_little() {
    local second third
    salvage_input
    head -c 500 a.nz >c.nz
    status 1 "$nzip" -d --salvage c.nz && says "c.nz: saved 0 frames, 0 bytes" && [ ! -e c.salvaged ] &&
        cp "$top/text" c.nz && status 1 "$nzip" -d --salvage c.nz && says "c.nz: at byte 0: not an nzip archive" &&
        : >c.nz && status 1 "$nzip" -d --salvage c.nz && [ ! -e c.salvaged ] || return
    head -c $((third + 50)) a.nz >c.nz
    status 1 "$nzip" -d --salvage c.nz && says "at byte 131072 of the raw data" &&
        head -c 131072 a | cmp - c.salvaged && rm c.salvaged || return
    { head -c $((second + 9)) a.nz && tail -c +$((third + 1)) a.nz | head -c -9 && cat a.nz; } >c.nz
    status 1 "$nzip" -d --salvage c.nz && says "an unknown number of bytes is lost at byte 65536 of the raw data" &&
        says "saved 5 frames, 234464 bytes; lost an unknown number, left out" || return
    { head -c 65536 a && tail -c +131073 a && cat a; } | cmp - c.salvaged || return
    status 1 "$nzip" --salvage c.nz && says "--salvage goes with" && status 1 "$nzip" -d --rm --salvage c.nz &&
        status 1 "$nzip" -d --salvage --tensor x c.nz && [ -e c.nz ]
}

salvaging_against_a_base() {
    local n
    weights_input 40000 >old
    flip old 20000 1 >new
    "$nzip" -3 --base=old new && n=$(stat -c %s new.nz) && flip new.nz $((n - 3)) 8 >b.nz || return
    status 2 "$nzip" -d --salvage b.nz && cmp new b.salvaged && mkdir d && mv b.nz d &&
        status 1 "$nzip" -t --salvage d/b.nz && says "not in its folder" &&
        status 2 "$nzip" -t --salvage --base=old d/b.nz &&
        status 1 "$nzip" -t --salvage --base=none d/b.nz && says "packed against a base file"
}

memory_limit() {
    cp "$top/text" a
    status 1 "$nzip" -5 --memory 64K a && says "nzip: a: needs " && says "64.0 KiB" &&
        says "--memory" && only a && "$nzip" -5 a && mv a want &&
        status 1 "$nzip" -d --memory 64K a.nz && says "nzip: a.nz: needs " && says "--memory" &&
        only a.nz want && status 0 "$nzip" -d --memory 4G a.nz
}

# Both end with the temporary file gone and nothing else left behind.
killed_by() { # SIGNAL
    local pid i
    mkdir d
    sleep 20 >"$top/pipe" &
    local feeder=$!
    "$nzip" -1 -o d/a.nz <"$top/pipe" &
    pid=$!
    for i in $(seq 100); do
        [ -z "$(ls -A d)" ] || break
        sleep 0.05
    done
    [ -n "$(ls -A d)" ] || { echo "no temporary file appeared" && return 1; }
    kill -s "$1" $pid
    wait $pid 2>/dev/null
    i=$?
    kill $feeder
    wait $feeder 2>/dev/null
    [ $i -gt 128 ] && [ -z "$(ls -A d)" ] || { echo "exit $i, left: $(ls -A d)" && return 1; }
}

killed() {
    mkfifo "$top/pipe"
    killed_by TERM && rmdir d && killed_by HUP && rmdir d && killed_by BUS
}

# script(1) gives the command a terminal; its output then comes with carriage returns.
on_terminal() { # COMMAND
    script -qec "$1" /dev/null </dev/null | tr -d '\r'
    return "${PIPESTATUS[0]}"
}

terminal() {
    command -v script >/dev/null || return 0
    cp "$top/text" a
    on_terminal "$nzip -1 -c a" >said
    [ $? = 1 ] && grep -q "not written to a terminal" said || { cat said && return 1; }
    on_terminal "$nzip -1f -c a" >said || { echo "-f refused" && return 1; }
    "$nzip" -1 -c a >a.nz && on_terminal "$nzip -d" >said
    [ $? = 1 ] && grep -q "not read from a terminal" said || { cat said && return 1; }
    on_terminal "$nzip -dc a.nz" | cmp - a
}

# The question about d/m.nz leaves time to write to d/m, which d/m.2 is to be packed against.
changed_base() {
    command -v script >/dev/null || return 0
    shards
    rm d/m.[34]
    echo old >d/m.nz
    while_it_asks "$nzip -3 d" touch d/m
    grep -q "d/m.2: not packed: d/m, .* changed meanwhile" said || { cat said && return 1; }
    (cd d && only m m.2 m.nz text text.nz)
}

progress_bar() {
    command -v script >/dev/null || return 0
    on_terminal "head -c 3000 $top/text | (sleep 0.5; cat) | $nzip -1 -o a.nz; sleep 0.1" >said
    "$nzip" -t a.nz && ! grep -q "nzip: " said
}

# Every container, at a level of each mode, through a file and through a pipe.
containers() {
    local file level
    for file in "$(dirname "$fixture")"/*.{safetensors,gguf,pt,npz,npy,onnx}; do
        for level in 1 3 7; do
            status 0 "$nzip" -$level -c "$file" >a.nz && "$nzip" -dc a.nz | cmp - "$file" || return 1
            "$nzip" -$level -c <"$file" | cmp - a.nz || return 1
        done
    done
}

base() {
    weights_input 40000 >old
    perl -e 'local $/; my $d = <STDIN>; binmode STDOUT;
        substr($d, $_, 1) = chr(ord(substr($d, $_, 1)) ^ 1) for map { 2000 + 40 * $_ } 0 .. 700;
        print $d' <old >new
    status 0 "$nzip" -3 --base=old new && [ "$(stat -c %s new.nz)" -lt 6000 ] || return 1
    status 0 "$nzip" -tv new.nz && says "new.nz: its base is old" || return 1
    status 1 "$nzip" -t <new.nz && says "packed against a base file" && says --base || return 1
    status 1 "$nzip" -t --base=new new.nz && says "another base file" || return 1
    status 0 "$nzip" -l new.nz >list && grep -q delta list || return 1
    status 0 "$nzip" -dc --base=old new.nz | cmp - new || return 1
    status 0 "$nzip" -3 old && status 0 "$nzip" -dc --base=old.nz new.nz | cmp - new || return 1
    status 0 "$nzip" -dc --base=old --tensor layer.1.weight new.nz >one && [ -s one ] || return 1
    status 1 "$nzip" -t --base=nothing new.nz && says "nothing: cannot read the base" || return 1
    status 1 "$nzip" -t --base=. new.nz && says "regular file" || return 1
    : >none && status 0 "$nzip" --rm none && status 1 "$nzip" -f --base=none.nz new &&
        says "none.nz: a base must be a regular file, and not empty" && rm none.nz || return 1
    only list new new.nz old old.nz one || return 1
    status 1 "$nzip" -f --base=old.nz old && says "old.nz, which it needs" || return 1
    status 0 "$nzip" -f --rm --base=old old new && only list new.nz old.nz one &&
        status 0 "$nzip" -d old.nz new.nz && only list new new.nz old old.nz one
}

array() {
    weights_input 100000 | tail -c 12000 >a # BF16, 160 a row
    status 0 "$nzip" -3 --dtype=BF16,160 -c a >a.nz || return 1
    "$nzip" -dc a.nz | cmp - a && "$nzip" -3 --dtype BF16,160 -c <a | cmp - a.nz || return 1
    "$nzip" -l a.nz | grep -q weights && [ "$(stat -c %s a.nz)" -lt 2000 ] || return 1
    for wrong in BF17 BF16,0 BF16,x Q8_0,33; do
        status 1 "$nzip" --dtype=$wrong -c a >b && says --dtype || return 1
    done
    perl -e 'srand(5); print "header", map { pack "f<", rand() + rand() + rand() - 1.5 } 1 .. 50000' >sniffed
    "$nzip" -3 -c sniffed >sniffed.nz && "$nzip" -3 -c <sniffed | cmp - sniffed.nz &&
        "$nzip" -l sniffed.nz | grep -q weights && "$nzip" -dc sniffed.nz | cmp - sniffed || return 1
    "$nzip" -3 --weights=off -c sniffed | "$nzip" -l | grep -q bytes-3 || return 1
    head -c 11999 a >odd && "$nzip" -3 --dtype=F64 -c odd | "$nzip" -dc | cmp - odd
}

# ---- All of them ----

share=${1:-1}
shares=${2:-1}
turn=0
run() {
    local name
    for name in "$@"; do
        turn=$((turn % shares + 1))
        [ $turn != "$share" ] || test_case "cli ${name//_/ }" "$name"
    done
}

run trip_file trip_pipes trip_empty trip_random trip_frames concatenation several_files \
    existing_target combined_options wrong_options listing mixed listing_tensors listing_parts \
    taking_tensors sharing full_disk not_an_archive corrupted_bit corrupted_byte corrupted_stored \
    truncated
[ -n "${NZ_SHORT:-}" ] || run trip_levels trip_default_and_aliases trip_tiny \
    pipe_gives_the_same_bytes threads_change_nothing one_fails_the_rest_goes_on strange_names \
    output_option output_is_input output_to_device pipe_in_the_way foreign_files suffix_when_packing suffix_when_unpacking \
    salvaging salvaging_without_loss salvaging_of_little salvaging_against_a_base \
    names_in_messages listing_bombs trees vanishing hard_links sockets \
    directories sharing_at_max sharing_in_any_order sharing_without_the_base not_sharing changed_base \
    links_and_devices high_levels help_and_version environment called_by_other_names removing \
    checking testing tensor_names tensor_damage weights_option containers base array priors verbose metadata \
    new_file_mode closed_pipe no_such_folder read_only_folder \
    unreadable_file garbage_behind memory_limit killed terminal progress_bar explaining \
    explaining_archives explaining_checkpoints explaining_anything comparing commands
tally_end
