/**
 * Scripts that let a shell ask `tbuild __complete WORD...`, which answers with lines: a word, then behind a tab what it
 * means; or `:file` or `:directory` alone, where the shell completes paths.
 */
export const COMPLETION_SCRIPTS = {
  bash: `# Completion of tbuild for bash: tbuild completion bash > /etc/bash_completion.d/tbuild
_tbuild() {
  local current word help kept
  local -a words
  read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]} - 1]}
  # Bash replaces only what follows the last of these characters.
  kept=\${current%"\${current##*[=:]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r word help; do
    case $word in
      :file) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "\${current#"$kept"}"); return ;;
      :directory) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -d -- "\${current#"$kept"}"); return ;;
      "$current"*) COMPREPLY+=("\${word#"$kept"}") ;;
    esac
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2> /dev/null)
  case \${COMPREPLY[0]-} in *=) compopt -o nospace 2> /dev/null ;; esac
}
complete -F _tbuild tbuild
`,
  zsh: `#compdef tbuild
# Completion of tbuild for zsh: tbuild completion zsh > a directory of $fpath, as _tbuild
_tbuild() {
  local line
  local -a plain open
  for line in "\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    case $line in
      '') ;;
      :file) _files; return ;;
      :directory) _files -/; return ;;
      *=$'\\t'*|*=) open+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) plain+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( \${#open} )) && _describe -t values tbuild open -S ''
  (( \${#plain} )) && _describe -t values tbuild plain
}
if [ "$funcstack[1]" = _tbuild ]; then _tbuild "$@"; else compdef _tbuild tbuild; fi
`,
  fish: `# Completion of tbuild for fish: tbuild completion fish > ~/.config/fish/completions/tbuild.fish
function __tbuild_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l current (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] 2> /dev/null)
    switch $line
      case :file
        __fish_complete_path $current
      case :directory
        __fish_complete_directories $current
      case '*'
        echo $line
    end
  end
end
complete -c tbuild -f -a '(__tbuild_complete)'
`,
} as const;
