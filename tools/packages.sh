#!/usr/bin/env bash
# packages.sh build|demo|bench|weights|deb|check|coverage: makes sure that what a target needs is installed.
# Installs with apt-get as root or through a passwordless sudo, else says the line to run and stops.
set -eu
build="gcc libc6-dev make libxxhash-dev libzstd-dev liblzma-dev"
demo="$build tar zstd xz-utils gzip bzip2 diffutils"
bench="$build time"
weights="$build python3 libzstd1"
deb="$build dpkg-dev debhelper"
check="$build clang clang-format libclang-rt-dev libcriterion-dev
gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static perl-base python3-minimal diffutils
pkg-config"
coverage="$check llvm"
optional="gcc-i686-linux-gnu libc6-dev-i386-cross" # of check, which leaves out what needs them
case ${1:-} in
build | demo | bench | weights | deb | check | coverage) wanted=${!1} ;;
*) echo "usage: tools/packages.sh build|demo|bench|weights|deb|check|coverage" >&2 && exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: install what Debian calls" $wanted >&2
    exit 0 # what is missing will say so itself
fi
missing_of() { # PACKAGES...: those that are not installed
    local have p
    have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for p; do grep -qx "$p installed" <<<"$have" || echo "$p"; done
}
missing=($(missing_of $wanted))
extra=()
[ "$1" != check ] || extra=($(missing_of $optional))
[ $((${#missing[@]} + ${#extra[@]})) -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        [ ${#missing[@]} -gt 0 ] || exit 0
        echo "Please run: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo -n)
fi
echo "installing ${missing[*]} ${extra[*]}" >&2
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@" </dev/null >&2
}
# A fresh machine may have no package lists yet.
refresh_and_install() {
    install "$@" 2>/dev/null || { "${as_root[@]}" apt-get update -qq >&2 && install "$@"; }
}
[ ${#missing[@]} = 0 ] || refresh_and_install "${missing[@]}" || {
    echo "Please run: apt-get update && apt-get install ${missing[*]}" >&2
    exit 1
}
[ ${#extra[@]} = 0 ] || refresh_and_install "${extra[@]}" || echo "going on without ${extra[*]}" >&2
