# fish completion of kvpareto: words come from the program itself, names of files from fish.
function __kvpareto_words
    set -l line (commandline --current-process --cut-at-cursor | string replace --regex '^\s*\S+\s+' '')
    kvpareto "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | string match --invert ''
end
complete --command kvpareto --arguments '(__kvpareto_words)'
