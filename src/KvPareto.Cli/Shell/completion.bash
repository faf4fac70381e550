# bash completion of kvpareto: words come from the program itself, names of files from bash where it has none.
_kvpareto() {
    local line=${COMP_LINE:0:COMP_POINT} word found
    [[ $line =~ ^[[:space:]]*[^[:space:]]+[[:space:]]+(.*)$ ]] || return
    line=${BASH_REMATCH[1]}
    word=${line##*[[:space:]]}
    COMPREPLY=()
    while IFS= read -r found; do
        [[ -n $found && $found == "$word"* ]] || continue
        # A colon parts words for bash, which puts in what follows the last one.
        [[ $COMP_WORDBREAKS == *:* ]] && found=${found#"${word%"${word##*:}"}"}
        COMPREPLY+=("$found")
    done < <("$1" "[suggest:${#line}]" "$line" 2>/dev/null)
}
complete -o bashdefault -o default -F _kvpareto kvpareto
