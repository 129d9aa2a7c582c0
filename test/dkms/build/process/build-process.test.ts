import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runBuildCommand, type BuildCommand } from '../../../../agent/dkms/build/process/build-process.ts';

/** Runs a command in a folder of its own; how it ended, and what it wrote. */
async function run(t: Test, command: string, more: Partial<BuildCommand> = {}) {
  const cwd = t.testdir({ 'source.sh': 'sourced=yes\n' });
  const file = join(cwd, 'out');
  const output = openSync(file, 'a');
  const env = { PATH: process.env['PATH'] ?? '' };
  const ended = await runBuildCommand({ command, cwd, env, variables: {}, source: '', output, ...more });
  closeSync(output);
  return { ended, text: readFileSync(file, 'utf8'), cwd };
}

/** What /proc says of a process; '' when it is gone. */
function stateOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '';
  }
}

const ROWS: ReadonlyArray<readonly [rule: string, command: string, status: number, text: string]> = [
  ['its output and errors in order', 'echo one; echo two >&2; echo three', 0, 'one\ntwo\nthree\n'],
  ['its status', 'exit 7', 7, ''],
  ['that of a signal', 'kill -15 $$', 143, ''],
  ['bash evaluates it', 'a=(x y); echo "${a[1]}"', 0, 'y\n'],
  ['variables are there, and not exported', 'echo "$kernelver"; sh -c \'echo "[$kernelver]"\'', 0, '6.1 "x"\n[]\n'],
  ['its standard input is empty', 'cat; echo end', 0, 'end\n'],
  ['files that it makes may be read by all', 'umask', 0, '0022\n'],
];
for (const [rule, command, status, text] of ROWS) {
  t.test(rule, async (t) => {
    const ran = await run(t, command, { variables: { kernelver: '6.1 "x"' } });
    t.match(ran.ended, { kind: 'ended', status });
    t.equal(ran.text, text);
  });
}

t.test('a file is sourced before', async (t) => {
  const { text } = await run(t, 'echo "$sourced"', { source: './source.sh' });
  t.equal(text, 'yes\n');
});

t.test('something may stand before bash', async (t) => {
  const { text } = await run(t, 'echo "$WORD"', { before: ['env', 'WORD=seen'] });
  t.equal(text, 'seen\n');
});

t.test('without bash the status is 127', async (t) => {
  const { ended } = await run(t, 'true', { before: ['/nonexistent/sandbox'] });
  t.match(ended, { kind: 'ended', status: 127 });
});

t.test('what it left in the background is gone', async (t) => {
  const { ended, text } = await run(t, 'sleep 1000 & echo $!');
  t.match(ended, { kind: 'ended', status: 0 });
  // The process that adopts it may collect it later.
  const stat = stateOf(Number(text));
  t.match(stat, /^$|\) [ZX] /, 'it does not run any more');
});

t.test('an abort before it begins, and one in the middle', async (t) => {
  t.match((await run(t, 'echo never', { signal: AbortSignal.abort() })).text, /^$/);
  const abort = new AbortController();
  const after = (_ms: number, work: () => void) => {
    const soon = setImmediate(work);
    return () => clearImmediate(soon);
  };
  const clock = { now: () => 0, after };
  // The dot is the sign that it runs.
  const { ended } = await run(t, 'sleep 1000', { signal: abort.signal, clock, dot: () => abort.abort() });
  t.match(ended, { kind: 'aborted', seconds: 0 });
});
