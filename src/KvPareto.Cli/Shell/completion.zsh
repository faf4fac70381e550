#compdef kvpareto
# zsh completion of kvpareto: words come from the program itself, names of files from zsh.
_kvpareto() {
    local line="${(j: :)words[2,CURRENT-1]} $PREFIX"
    line=${line# }
    local -a found
    found=(${(f)"$(${(Q)words[1]} "[suggest:$#line]" "$line" 2>/dev/null)"})
    (( $#found )) && compadd -- $found
    [[ $PREFIX == -* ]] || _files
}
compdef _kvpareto kvpareto
