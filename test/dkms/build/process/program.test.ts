import { chmodSync } from 'node:fs';
import t from 'tap';
import { commandPath, hasProgram, isExecutable, runProgram } from '../../../../agent/dkms/build/process/program.ts';

const SH = '/bin/sh';
const ROWS: ReadonlyArray<readonly [rule: string, words: readonly string[], expected: object]> = [
  ['its output and status', [SH, '-c', 'echo out; echo err >&2'], { status: 0, output: 'out\n', complaint: 'err\n' }],
  ['a failure', [SH, '-c', 'echo out; exit 3'], { status: 3, output: 'out\n', complaint: '' }],
  ['one that a signal ended', [SH, '-c', 'kill -9 $$'], { status: 128 }],
  [
    'one that is not there',
    ['/nonexistent/x'],
    { status: 127, output: '', complaint: '/nonexistent/x: No such file or directory\n' },
  ],
  ['one that is no program', ['/etc/passwd'], { status: 127, complaint: '/etc/passwd: Permission denied\n' }],
  ['words are no shell text', ['echo', '$HOME; exit 3'], { status: 0, output: '$HOME; exit 3\n' }],
  ['its messages are in English', [SH, '-c', 'echo $LC_ALL'], { output: 'C\n' }],
  ['its standard input is empty', ['cat'], { status: 0, output: '' }],
];
for (const [rule, words, expected] of ROWS) {
  t.test(rule, async (t) => {
    t.match(await runProgram(words), expected);
  });
}

t.test('input reaches it, and one that reads nothing does not mind', async (t) => {
  t.match(await runProgram(['cat'], { input: 'text' }), { status: 0, output: 'text' });
  t.match(await runProgram(['true'], { input: 'x'.repeat(1 << 20) }), { status: 0 });
});

t.test('more output than a message has ends it', async (t) => {
  const { status, output } = await runProgram([SH, '-c', 'yes | head -c 3000000']);
  t.not(status, 0);
  t.ok(output.length <= 1 << 20, `${output.length} bytes are kept`);
});

t.test('where a program is', async (t) => {
  const dir = t.testdir({ a: { tool: '#!/bin/sh\n' }, b: { tool: '#!/bin/sh\n', plain: 'x', folder: {} } });
  for (const path of [`${dir}/a/tool`, `${dir}/b/tool`]) chmodSync(path, 0o755);
  const path = `/nonexistent::${dir}/a:${dir}/b`;
  const rows: ReadonlyArray<readonly [name: string, path: string | undefined, found: string | undefined]> = [
    ['tool', path, `${dir}/a/tool`],
    ['tool', `${dir}/b`, `${dir}/b/tool`],
    [`${dir}/b/tool`, '', `${dir}/b/tool`],
    ['plain', path, undefined],
    ['folder', path, undefined],
    ['nothing', path, undefined],
    ['tool', undefined, undefined],
    ['', path, undefined],
  ];
  for (const [name, where, found] of rows) {
    t.equal(commandPath(name, where), found, `${name} in ${where}`);
    t.equal(hasProgram(name, where), found !== undefined);
  }
  t.equal(isExecutable(`${dir}/b/folder`), false, 'a folder is no program');
});
