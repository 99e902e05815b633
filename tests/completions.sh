#!/usr/bin/env bash
# The manual page and the completions name the options that `nzip --help` names, and the shells find
# what they should. NZIP=path.
set -u
cd "$(dirname "$0")/.."
. tests/lib/tally.sh
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
mkdir "$top/bin" "$top/work" "$top/work/folder"
cp "${NZIP:-./nzip}" "$top/bin/nzip"
cp -r completions "$top"
PATH=$top/bin:$PATH
unset NZIP_OPT
export LC_ALL=C
cp tests/containers/all.safetensors "$top/work/model"
(cd "$top/work" && nzip -1 -q model && cp model.nz "two words.nz" && touch text)
man=$PWD/man/nzip.1

expect() { # NAME WANTED COMMAND...: lines, in any order
    local name=$1 want=$2 got
    shift 2
    got=$(cd "$top/work" && "$@" 2>&1 | sort)
    [ "$got" = "$(sort <<<"$want")" ] && ok "$name" ||
        fail "$name: $(diff <(sort <<<"$want") <(echo "$got"))"
}

# ---- The same options everywhere ----

# -x and --name of any text; of levels there are digits, which nothing else is called.
options() {
    grep -oE -- '(^|[^-[:alnum:]])(-[[:alpha:]]|--[a-z]+(-[a-z]+)*)\b' | sed 's/^[^-]//' | sort -u
}

in_help() { nzip --help | options; }

# Two names that only the habits of other programs ask for are told here alone.
in_man() {
    sed 's/\\-/-/g' "$man" | sed -n '/^\.SH OPTIONS/,/^\.SH MEMORY/p' | grep -A 1 '^\.TP' | options |
        grep -vx -- '--uncompress\|--to-stdout'
}

in_bash() { sed -n "/^_nzip_options=/,/'$/p" ../completions/nzip.bash | options; }

in_zsh() { sed -n "/_arguments/,/:file:/p" ../completions/_nzip | tail -n +2 | options; }

in_fish() {
    grep '^complete -c nzip' ../completions/nzip.fish | grep -oE -- ' -(s [[:alpha:]]|l [a-z-]+)' |
        sed 's/ -s /-/; s/ -l /--/'
}

want=$(in_help)
for place in man bash zsh fish; do
    expect "options in $place" "$want" "in_$place"
done

# Values that one completion names: all three do, and the command takes them.
values() { # OPTION
    local file value
    for file in nzip.bash _nzip nzip.fish; do
        sed -n "s/.*--$1[)=]//p; s/.* -l $1 //p" "../completions/$file"
    done
}

# ---- bash ----

# A command line cut into words as bash cuts it, and what may be its last one.
line() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    compopt() { :; } # for a real completion only
    . ../completions/nzip.bash
    _nzip
    [ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
}

lines() { printf '%s\n' "$@"; }

expect "bash, options" "$(lines --tensor= --test --threads=)" line nzip --t
expect "bash, all options" "$(nzip --help | options)" bash -c "$(declare -f line options); line nzip - | options"
expect "bash, files to pack" "$(lines folder model text)" line nzip -9 ""
expect "bash, archives" "$(lines folder model.nz 'two words.nz')" line nzip -1vd ""
expect "bash, archives of nzcat" model.nz line nzcat m
expect "bash, any file" "$(lines folder model model.nz text 'two words.nz')" line nzip --base = ""
expect "bash, --weights" turbo line nzip --weights = t
expect "bash, --weights has a value behind = only" text line nzip --weights t
expect "bash, --prior" "$(lines prose)" line nzip --prior pro
expect "bash, tensors" "$(lines type.U{8,16,32,64})" line nzip -d model.nz --tensor = type.U
expect "bash, tensors' names" "$(lines 'nine\ dims')" line nzip -d model.nz --tensor = n

# All values that are offered are taken, and are offered by the other shells too.
values() {
    local option value zsh fish
    for option in weights prior dtype threads memory frame; do
        for value in $(line nzip --$option = ""); do
            nzip -1 --$option="$value" -c text >/dev/null
            zsh=$(grep -A 1 -- "--$option=" ../completions/_nzip)
            fish=$(grep -A 1 -- "-l $option " ../completions/nzip.fish)
            [[ $zsh =~ [\(\ ]$value[\ \)$'\n'] ]] || echo "zsh: $option $value"
            [[ $fish =~ [\'\ ]$value[\ \'] ]] || echo "fish: $option $value"
        done
    done
}
expect "values" "" values

# ---- zsh and fish, where they are installed ----

if command -v fish >/dev/null; then
    in_fish_line() { fish --no-config -c "source ../completions/nzip.fish; complete -C '$1'" | cut -f 1; }
    expect "fish, options" "$(lines --tensor --test --threads)" in_fish_line "nzip --t"
    expect "fish, --weights" --weights=turbo in_fish_line "nzip --weights=t"
    expect "fish, archives" "$(lines folder/ model.nz 'two words.nz')" in_fish_line "nzip -d "
    expect "fish, archives of nzcat" "$(lines folder/ model.nz 'two words.nz')" in_fish_line "nzcat "
    expect "fish, tensors" "$(lines --tensor=type.U{8,16,32,64})" \
        in_fish_line "nzip -d model.nz --tensor=type.U"
fi
tally_end
