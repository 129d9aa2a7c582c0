/** Completions for fish. Builds text only. */
import { SHELLS, type CompletableCommand, type CompletableOption, type WordKind } from './completable.ts';

/** The script: plugd.fish in a folder of $fish_complete_path, or to be sourced. */
export function fishCompletion(commands: readonly CompletableCommand[]): string {
  return `# fish completion for plugd, written by: plugd completion fish
function __plugd_first
    test (count (commandline -opc)) -eq 1
end
function __plugd_in
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end
function __plugd_known
    set -l words (commandline -opc)
    $words[1] __complete $argv[1] 2>/dev/null
end
complete -c plugd -f
${commands.map(({ name, summary }) => `complete -c plugd -n __plugd_first -a ${name} -d ${quoted(summary)}\n`).join('')}${commands
    .flatMap(({ name, options, words }) => [
      ...options.map((option) => optionLine(name, option)),
      ...(words === 'none' ? [] : [`complete -c plugd -n '__plugd_in ${name}' ${candidates(words)}\n`]),
    ])
    .join('')}`;
}

function optionLine(command: string, { long, short, help, value }: CompletableOption): string {
  const letter = short === undefined ? '' : ` -s ${short}`;
  const argument = value === undefined ? '' : ` -r ${candidates(value)}`;
  return `complete -c plugd -n '__plugd_in ${command}' -l ${long}${letter}${argument} -d ${quoted(help)}\n`;
}

function candidates(kind: WordKind): string {
  if (kind === 'none') return '-f';
  if (kind === 'file') return '-F';
  if (kind === 'directory') return "-f -a '(__fish_complete_directories)'";
  if (kind === 'command') return '-f -a \'(complete -C "plugd ")\'';
  if (kind === 'shell') return `-f -a '${SHELLS.join(' ')}'`;
  // A path instead of a name: files complete, too.
  return `${kind === 'bus' || kind === 'kernel' ? '-f' : '-F'} -a '(__plugd_known ${kind})'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
