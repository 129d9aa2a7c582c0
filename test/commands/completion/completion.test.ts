/** Completions in the shells themselves. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { describeAll } from '../../../agent/commands/command-table.ts';
import { bashCompletion } from '../../../agent/commands/completion/bash.ts';
import { completable, type WordKind } from '../../../agent/commands/completion/completable.ts';
import { fishCompletion } from '../../../agent/commands/completion/fish.ts';
import { zshCompletion } from '../../../agent/commands/completion/zsh.ts';
import { needCommands, runProgram } from '../../fixtures/commands.ts';

const commands = completable(await describeAll());

/** A folder whose plugd answers `__complete KIND` without looking at this machine. */
function planted(t: Test): string {
  const base = t.testdir({ files: { 'a.ko': '', sub: {} } });
  mkdirSync(join(base, 'bin'));
  writeFileSync(
    join(base, 'bin/plugd'),
    `#!/bin/sh
[ "$1" = __complete ] || exit 1
case $2 in device) echo 0000:00:01.0; echo 0000:00:1f.6; echo 1-1;; bus) echo pci; echo platform;; module) echo virtio_net;; esac
`,
    { mode: 0o755 },
  );
  return base;
}

/** A line up to the cursor, and what the last word becomes (bash: what is put behind the last `:` or `=`). */
const ROWS: ReadonlyArray<readonly [line: string, words: readonly string[], bash?: readonly string[]]> = [
  ['plugd dev', ['devices']],
  ['plugd help rmm', ['rmmod']],
  ['plugd devices --no-d', ['--no-driver']],
  ['plugd rmmod --forc', ['--force']],
  ['plugd devices --bus p', ['pci', 'platform']],
  ['plugd devices --bus=pl', ['--bus=platform'], ['platform']],
  ['plugd why virt', ['virtio_net']],
  ['plugd test 0000:00:0', ['0000:00:01.0'], ['01.0']],
  ['plugd completion z', ['zsh']],
  ['plugd devices --root files/su', ['files/sub/'], ['files/sub']],
  ['plugd test files/a', ['files/a.ko']],
];

t.test('bash', async (t) => {
  const base = planted(t);
  writeFileSync(
    join(base, 'try'),
    `${bashCompletion(commands)}
COMP_LINE=$1 COMP_POINT=\${#1}
_plugd
printf '%s\\n' "\${COMPREPLY[@]}"
`,
  );
  for (const [line, words, bash = words] of ROWS) {
    const { stdout, stderr } = await runProgram('bash', ['--norc', join(base, 'try'), line], {
      cwd: base,
      env: { ...process.env, PATH: `${join(base, 'bin')}${delimiter}${process.env['PATH']}` },
    });
    t.same(stdout.trimEnd().split('\n'), bash, `${line} ${stderr}`);
  }
});

t.test('fish', async (t) => {
  const tools = await needCommands(['fish']);
  if (tools.kind === 'missing') return t.comment(tools.sentence);
  const base = planted(t);
  writeFileSync(join(base, 'plugd.fish'), fishCompletion(commands));
  const lines = ROWS.map(([line]) => `complete -C '${line}'; echo ==`).join('\n');
  const { stdout } = await runProgram('fish', ['--no-config', '-c', `source ${base}/plugd.fish\n${lines}`], {
    cwd: base,
    env: { ...process.env, PATH: `${join(base, 'bin')}${delimiter}${process.env['PATH']}`, HOME: base },
  });
  const answers = stdout.split('==\n').map((text) => text.split('\n').flatMap((each) => each.split('\t')[0] || []));
  for (const [i, [line, words]] of ROWS.entries()) t.same(answers[i], words, line);
});

t.test('zsh takes the script', async (t) => {
  const tools = await needCommands(['zsh']);
  if (tools.kind === 'missing') return t.comment(tools.sentence);
  const base = t.testdir({ _plugd: zshCompletion(commands) });
  t.match(await runProgram('zsh', ['-n', join(base, '_plugd')]), { status: 0, stderr: '' });
  t.match(zshCompletion(commands), /^ +'\*-b\+\[only devices of this bus; .*\]:bus:_plugd_known bus' \\$/m);
});

/** A zsh on a terminal of its own (zsh/zpty) shows what its line is once TAB and ^X were pressed. */
const ZSH_SETUP = `PROMPT= PS2= RPROMPT=
unsetopt prompt_sp
autoload -Uz compinit; compinit -u -D
zstyle ':completion:*' insert-tab false
tell() { print -r -- "<<$BUFFER>>"; BUFFER= }
zle -N tell
bindkey '^X' tell
`;

/** Asks it for each line, and prints what that became. */
const zshAsk = (setup: string, lines: readonly string[]) => `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source ${setup}; print re""ady'
zpty -r shell seen '*ready*'
for line in ${lines.map((line) => `'${line}'`).join(' ')}; do
  zpty -w -n shell "$line"$'\\t\\x18'
  zpty -r shell seen '*<<*>>*'
  print -r -- "$seen"
done
zpty -d shell
`;

t.test('zsh', async (t) => {
  const tools = await needCommands(['zsh']);
  if (tools.kind === 'missing') return t.comment(tools.sentence);
  const base = planted(t);
  const lines = ROWS.map(([line]) => line);
  writeFileSync(join(base, 'setup'), ZSH_SETUP + zshCompletion(commands));
  writeFileSync(join(base, 'ask'), zshAsk(join(base, 'setup'), lines));
  const { stdout, stderr } = await runProgram('zsh', ['-f', join(base, 'ask')], {
    cwd: base,
    env: { ...process.env, PATH: `${join(base, 'bin')}${delimiter}${process.env['PATH']}`, TERM: 'dumb', HOME: base },
  });
  const become = [...stdout.matchAll(/<<(.*)>>/g)].map(([, line = '']) => line.trimEnd());
  // TAB writes one word whole, and of several what they have in common.
  const expected = ROWS.map(([line, [word = '', ...more]]) =>
    more.length > 0 ? line : line.slice(0, line.lastIndexOf(' ') + 1) + word,
  );
  t.same(become, expected, stderr);
});

t.test('every command of the help has its row, and words of the right kind', (t) => {
  const kind = (name: string): WordKind | undefined => commands.find((each) => each.name === name)?.words;
  t.match(
    ['test', 'devices', 'why', 'rmmod', 'insmod', 'sign', 'settle', 'help', 'completion'].map((name) => kind(name)),
    ['device', 'device', 'module', 'loaded', 'file', 'file', 'none', 'command', 'shell'],
  );
  for (const { name, options } of commands.slice(0, -2))
    t.ok(
      options.some(({ long }) => long === 'help'),
      name,
    );
  t.end();
});

t.test('no command has two options of one name', async (t) => {
  for (const { command } of await describeAll()) {
    const names = (command.options ?? []).flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]);
    t.same(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
      command.name,
    );
  }
});
