#!/usr/bin/env bash
# What `make install` puts where, and whether others can use it: their programs in C and C++, shared
# and static, through pkg-config. BUILD=folder of a finished build by gcc.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
build=${BUILD:-build}
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
export LC_ALL=C
root=$top/root libdir=/usr/lib/of-this-machine

# Any output is what is wrong.
expect() { # NAME COMMAND...
    local name=$1 said
    shift
    if said=$("$@" 2>&1) && [ -z "$said" ]; then ok "$name"; else fail "$name: $said"; fi
}

place() { # GOAL
    make --no-print-directory -s BUILD="$build" CC=gcc DESTDIR="$root" prefix=/usr libdir=$libdir "$1"
}

packages() {
    PKG_CONFIG_LIBDIR=$root$libdir/pkgconfig:$(pkg-config --variable pc_path pkg-config) \
        pkg-config --define-variable=prefix="$root/usr" "$@" nzip
}

# ---- The tests ----

files() {
    local name
    for name in bin/{nzip,nzcat,nunzip} include/nz.h share/man/man1/{nzip,nzcat,nunzip}.1 \
        share/bash-completion/completions/{nzip,nzcat,nunzip} share/zsh/site-functions/_nzip \
        share/fish/vendor_completions.d/{nzip,nzcat,nunzip}.fish \
        lib/of-this-machine/{libnzip.a,libnzip.so,libnzip.so.0,pkgconfig/nzip.pc}; do
        [ -s "$root/usr/$name" ] || echo "not there: $name"
    done
    echo text >"$top/text"
    "$root/usr/bin/nzip" "$top/text"
    "$root/usr/bin/nzcat" "$top/text.nz" | cmp - "$top/text"
    rm "$top/text"
    "$root/usr/bin/nunzip" "$top/text.nz"
    [ "$(cat "$top/text")" = text ] || echo "nunzip failed"
}

# Three places name the version.
version() {
    local version
    version=$("$root/usr/bin/nzip" --version | sed -n '1s/nzip //p')
    [ "$(packages --modversion)" = "$version" ] || echo "nzip.pc"
    [ -f "$root$libdir/libnzip.so.$version" ] || echo "libnzip.so"
    grep -q "\"nzip $version\"" man/nzip.1 || echo "the manual page"
    head -n 1 debian/changelog | grep -qF "($version)" || echo "debian/changelog"
}

uses() { # COMPILER... -- FLAGS...: and runs the program
    local compiler=()
    while [ "$1" != -- ]; do compiler+=("$1") && shift; done
    "${compiler[@]}" -Wall -Wextra -Werror $(packages --cflags) tests/lib/program.c -o "$top/program" \
        "${@:2}" >"$top/said" 2>&1 && LD_LIBRARY_PATH=$root$libdir "$top/program" >>"$top/said" 2>&1 ||
        cat "$top/said"
}

shared() {
    uses "$@" -- $(packages --libs)
    readelf -d "$top/program" | grep -q 'NEEDED.*\[libnzip\.so\.0\]' || echo "libnzip.so.0 not needed"
    ! readelf -d "$top/program" | grep 'NEEDED.*xxhash'
}

static() {
    uses gcc -static -- $(packages --static --libs)
    is_static "$top/program"
}

# The library alone.
archive() {
    uses clang -x c++ -- $(packages --static --libs | sed 's/-lnzip/-l:libnzip.a/')
    ! readelf -d "$top/program" | grep 'NEEDED.*nzip'
}

is_static() { # PROGRAM
    ! readelf -lW "$1" | grep INTERP
    ! readelf -dW "$1" | grep NEEDED
}

# The shared library shows what nz.h declares, under its version; the other one's names are ours.
names() { # FOLDER
    diff <(gcc -E -P src/nz.h | grep -oE '\bnz_\w+ ?\(' | tr -d ' (' | sort -u) \
        <(nm -D --defined-only "$1/libnzip.so" | sed -n 's/.* T \(.*\)@@NZIP_0$/\1/p' | sort)
    nm -D --defined-only "$1/libnzip.so" | grep -vE ' T nz_\w+@@NZIP_0$| A NZIP_0$'
    nm -g --defined-only "$1/libnzip.a" | sed -n 's/.* [A-Z] //p' | grep -vE '^nz_'
    readelf -dW "$1/libnzip.so" | grep -q 'SONAME.*\[libnzip\.so\.0\]' || echo "no soname"
}

# A second build elsewhere gives the same bytes only if they do not tell where.
tells_no_folder() {
    grep -lF "$PWD" "$build"/{nzip,libnzip.a,libnzip.so}
    true
}

nothing_left() {
    place uninstall
    find "$root" ! -type d
}

expect "install" place install
expect "installed files" files
expect "installed version" version
expect "installed, shared, C" shared gcc
expect "installed, shared, C++" shared clang -x c++
expect "installed, static, C" static
expect "installed, libnzip.a, C++" archive
for folder in "$build" build/clang; do
    [ ! -e "$folder/libnzip.so" ] || expect "names in $folder" names "$folder"
done
[ ! -e build/arm64/nzip ] || expect "a static program" is_static build/arm64/nzip
expect "no folder's name in a binary" tells_no_folder
expect "uninstall" nothing_left
tally_end
