/** Completions for bash 4.4 and later, without the package bash-completion. Builds text only. */
import { SHELLS, type CompletableCommand, type CompletableOption } from './completable.ts';

/**
 * The script. Bash breaks words at `:` and `=`, and replaces only what is behind the last of them; device addresses and
 * `--option=value` have them, so the script takes the line apart itself.
 */
export function bashCompletion(commands: readonly CompletableCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion for plugd, written by: plugd completion bash
_plugd() {
  local line=\${COMP_LINE:0:COMP_POINT} word before cut='' known='' options='' operand=none value='' each
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  word=\${words[-1]}
  before=\${words[-2]-}
  COMPREPLY=()
  if [[ $word == --*=* ]]; then
    before=\${word%%=*} word=\${word#*=}
  fi
  if ((\${#words[@]} == 2)); then
    operand=command
  else
    case \${words[1]} in
${commands.map(commandCase).join('')}    esac
  fi
  if [[ -z $value && $word == -* ]]; then
    known=$options
  else
    case $operand in
      none) ;;
      file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames 2>/dev/null; return ;;
      directory) mapfile -t COMPREPLY < <(compgen -d -- "$word"); compopt -o filenames 2>/dev/null; return ;;
      command) known='${names}' ;;
      shell) known='${SHELLS.join(' ')}' ;;
      *)
        if [[ $word == */* ]]; then
          mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames 2>/dev/null; return
        fi
        known=$("\${words[0]}" __complete "$operand" 2>/dev/null) ;;
    esac
  fi
  cut=''
  [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && cut=\${word%"\${word##*:}"}
  for each in $known; do
    [[ $each == "$word"* ]] && COMPREPLY+=("\${each#"$cut"}")
  done
}
complete -F _plugd plugd
`;
}

function commandCase({ name, options, words }: CompletableCommand): string {
  const typed = options.flatMap(({ long, short }) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]);
  const kinds = [...new Set(options.flatMap(({ value }) => value ?? []))];
  const values = kinds.map((kind) => {
    const pattern = patternOf(options.filter(({ value }) => value === kind));
    return `          ${pattern}) operand=${kind} value=1 ;;\n`;
  });
  const choice = values.length === 0 ? '' : `        case $before in\n${values.join('')}        esac\n`;
  return `      ${name})
        options='${typed.join(' ')}' operand=${words}
${choice}        ;;
`;
}

function patternOf(options: readonly CompletableOption[]): string {
  return options.flatMap(({ long, short }) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]).join(' | ');
}
