# Completion of evtap for bash 4 or later. evtap itself says what may come next.
# Goes to ~/.local/share/bash-completion/completions/evtap, or is sourced by ~/.bashrc.

_evtap() {
    local i word whole=0 cut='' reply quoted=''
    local -a words=()
    # bash breaks words at = and :, evtap reads them whole.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word =~ ^[=:]+$ && ${#words[@]} -gt 0 ]]; then
            words[-1]+=$word
            whole=1
        elif ((whole)); then
            words[-1]+=$word
            whole=0
        else
            words+=("$word")
        fi
    done
    word=${words[-1]:-}
    unset 'words[-1]'
    # What stands before the last break is not bash's to replace.
    if [[ $COMP_WORDBREAKS == *=* && $word == -*=* ]]; then
        cut=${word%"${word##*=}"}
    elif [[ $COMP_WORDBREAKS == *:* && $word == *:* ]]; then
        cut=${word%"${word##*:}"}
    fi
    case $word in
        [\'\"]*) quoted=1 word=${word:1} ;;
        *) word=${word//\\/} ;;
    esac
    COMPREPLY=()
    while IFS=$'\t' read -r reply _; do
        if [[ $reply == :path ]]; then
            compopt -o default
            return
        fi
        reply=${reply#"$cut"}
        [[ $quoted ]] || printf -v reply %q "$reply"
        COMPREPLY+=("${reply//\\,/,}")
    done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete --current="$word" -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}

complete -o nosort -F _evtap evtap
