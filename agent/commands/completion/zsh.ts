/** Completions for zsh. Builds text only. */
import { SHELLS, type CompletableCommand, type CompletableOption, type WordKind } from './completable.ts';

/** The script: a file `_plugd` in a folder of fpath, or to be sourced. */
export function zshCompletion(commands: readonly CompletableCommand[]): string {
  return `#compdef plugd
# zsh completion for plugd, written by: plugd completion zsh

# _arguments puts its own options in front of the kind.
_plugd_known() {
  if [[ $PREFIX == */* ]]; then
    _files
    return
  fi
  local -a known
  known=(\${(f)"$(_call_program names \${(q)_plugd_program} __complete \${@[-1]} 2>/dev/null)"})
  compadd "\${@[1,-2]}" -a known
}

_plugd_commands() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`).join('')}  )
  _describe -t commands command commands
}

_plugd() {
  local curcontext=$curcontext _plugd_program=$words[1]
  if ((CURRENT == 2)); then
    _plugd_commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${commands.map(commandCase).join('')}  esac
}

if [[ $funcstack[1] == _plugd ]]; then
  _plugd "$@"
else
  compdef _plugd plugd
fi
`;
}

function commandCase({ name, options, words }: CompletableCommand): string {
  const specs = [...options.flatMap(specsOf), ...(words === 'none' ? [] : [quoted(`*:${words}:${actionOf(words)}`)])];
  return `    ${name}) _arguments -s -S : \\
${specs.map((spec) => `        ${spec}`).join(' \\\n')} ;;
`;
}

/** `'*--bus=[only devices of this bus]:bus:_plugd_known bus'`, and the same for a letter. */
function specsOf({ long, short, help, value }: CompletableOption): readonly string[] {
  const text = `[${help.replaceAll(/[[\]\\:]/g, '\\$&')}]`;
  const rest = value === undefined ? '' : `:${value}:${actionOf(value)}`;
  return [
    quoted(`*--${long}${value === undefined ? '' : '='}${text}${rest}`),
    ...(short === undefined ? [] : [quoted(`*-${short}${value === undefined ? '' : '+'}${text}${rest}`)]),
  ];
}

function actionOf(kind: WordKind): string {
  if (kind === 'none') return ' ';
  if (kind === 'file') return '_files';
  if (kind === 'directory') return '_files -/';
  if (kind === 'command') return '_plugd_commands';
  if (kind === 'shell') return `(${SHELLS.join(' ')})`;
  return `_plugd_known ${kind}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
