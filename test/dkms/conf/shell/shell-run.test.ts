import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ShellQuestion } from '../../../../agent/dkms/conf/shell/shell-question.ts';
import { evaluateInBash, type ShellLimits } from '../../../../agent/dkms/conf/shell/shell-run.ts';

const QUESTION: ShellQuestion = { variables: { given: 'a  b' }, known: ['MAKE', 'given'], patterns: [], last: [] };

t.test('a file that does not end, or has no end, is an error that names it', async (t) => {
  const file = join(t.testdir({}), 'dkms.conf');
  const rows: ReadonlyArray<readonly [rule: string, text: string, limits: ShellLimits, error: object]> = [
    ['a loop', 'while :; do :; done', { seconds: 1, bytes: 1 << 20 }, { kind: 'too-slow', seconds: 1 }],
    ['a sleep of another process', 'sleep 1000', { seconds: 1, bytes: 1 << 20 }, { kind: 'too-slow' }],
    ['a question', 'read answer </dev/tty; kill -KILL $$', { seconds: 60, bytes: 1 << 20 }, { kind: 'bash-failed' }],
    [
      'endless complaints',
      'while :; do echo a >&2; done',
      { seconds: 60, bytes: 1 << 12 },
      { kind: 'too-much', bytes: 4096 },
    ],
    ['a value without measure', 'printf -v MAKE %99999d 1', { seconds: 60, bytes: 1 << 12 }, { kind: 'too-much' }],
    ['an end of the shell itself', 'kill -KILL $$', { seconds: 60, bytes: 1 << 20 }, { kind: 'bash-failed' }],
  ];
  for (const [rule, text, limits, error] of rows) {
    // The value is one word, so that its blanks are not folded.
    writeFileSync(file, `${text.replace('%99999d', '%099999d')}\n`);
    t.match(evaluateInBash([file], QUESTION, limits), { kind: 'failed', error: { ...error, file } }, rule);
  }
});

t.test('what it prints on stdout goes nowhere, in any amount', async (t) => {
  const file = join(t.testdir({ 'dkms.conf': 'printf %99999d 1; MAKE=a; printf b >&9; printf c >&8\n' }), 'dkms.conf');
  t.match(evaluateInBash([file], QUESTION, { seconds: 60, bytes: 1 << 12 }), {
    kind: 'values',
    values: new Map([
      ['MAKE', new Map([[0, 'a']])],
      ['given', new Map([[0, 'a b']])],
    ]),
  });
});

t.test('a machine without bash', async (t) => {
  const { PATH } = process.env;
  process.env['PATH'] = t.testdir({});
  t.teardown(() => (process.env['PATH'] = PATH));
  t.same(evaluateInBash(['/dkms.conf'], QUESTION), {
    kind: 'failed',
    error: { kind: 'no-bash', file: '/dkms.conf' },
    complaint: '',
  });
});
