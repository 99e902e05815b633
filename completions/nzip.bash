# Completion of nzip, nunzip and nzcat for bash, which needs nothing else.

_nzip_options='-z --compress -d --decompress -t --test -l --list --salvage --tensor= -1 -2 -3 -4 -5 -6 -7 -8
    -9 --fast --best --csv= --svg= --dtype= --base= --weights= --prior= --no-prior -c --stdout -o --output= -f
    --force -k --keep --rm -r --recursive --check -T --threads= -M --memory= --frame= -q --quiet
    -v --verbose -h --help -V --version'

# Whether archives are read rather than made.
_nzip_unpacks() {
    local word
    case ${COMP_WORDS[0]##*/} in nzcat | nunzip) return ;; esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        --decompress | --uncompress | --test | --list | --tensor) return ;;
        -- | --* | -*[oTM]*) ;;
        -*[dtl]*) return ;;
        esac
    done
    return 1
}

_nzip_words() { # BEGINNING, WORDS...
    local start=$1
    shift
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$start")
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

_nzip_files() { # BEGINNING [PATTERN]: directories, and files but those of the pattern
    compopt -o filenames
    mapfile -t COMPREPLY < <(
        compgen -d -- "$1"
        compgen -f -X "${2-}" -- "$1" | while IFS= read -r name; do
            [[ -d ${name/#\~\//$HOME/} ]] || printf '%s\n' "$name"
        done
    )
}

# Of the archives on the command line, those with control characters left out.
_nzip_tensors() { # BEGINNING
    local word name
    for word in "${COMP_WORDS[@]:1}"; do
        [[ $word == *.nz ]] || continue
        while IFS= read -r name; do
            [[ $name != *\\* && $name == "$1"* ]] && COMPREPLY+=("$(printf %q "$name")")
        done < <(nzip -lq -- "${word/#\~\//$HOME/}" 2>/dev/null | sed -nE \
            's/^ *([0-9]+|-) +[0-9]+ +([0-9]+\.[0-9]+|-) .* ([0-9]+(x[0-9]+)*|-)  +(.*)$/\5/p')
    done
}

_nzip() {
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # bash cuts --option=value into three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --weights ]]; then
        option= # its value follows a = only
    fi
    case $option in
    --weights) _nzip_words "$cur" auto off turbo fast max ;;
    --prior) _nzip_words "$cur" auto off prose markup code data ;;
    --dtype) _nzip_words "$cur" BF16 F16 F32 F64 F8_E4M3 F8_E5M2 I8 I16 I32 I64 U8 U16 U32 U64 \
        Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K ;;
    --memory | -M) _nzip_words "$cur" 1G 2G 4G 8G 16G 25% 50% 75% ;;
    --frame) _nzip_words "$cur" 64K 256K 1M 4M 16M 64M 256M 1G ;;
    --threads | -T) _nzip_words "$cur" 0 1 2 4 8 16 ;;
    --base | --csv | --svg | --output | -o) _nzip_files "$cur" ;;
    --tensor) _nzip_tensors "$cur" ;;
    *)
        if [[ $cur == -* ]]; then
            _nzip_words "$cur" "$_nzip_options"
        elif _nzip_unpacks; then
            _nzip_files "$cur" '!*.nz'
        else
            _nzip_files "$cur" '*.nz'
            ((COMP_CWORD > 1)) || COMPREPLY+=($(compgen -W 'bench explain' -- "$cur"))
        fi
        ;;
    esac
}

complete -F _nzip nzip nunzip nzcat
