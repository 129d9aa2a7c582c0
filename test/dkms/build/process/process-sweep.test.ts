/** Whose a process is, from a made-up /proc, and real ones that are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { MARK, processesOf, sweepProcesses } from '../../../../agent/dkms/build/process/process-sweep.ts';

interface Made {
  readonly parent?: number;
  readonly session?: number;
  readonly state?: string;
  readonly mark?: string;
  readonly comm?: string;
}

const LEADER = 4_000_100;
const ROWS: ReadonlyArray<readonly [rule: string, made: Readonly<Record<number, Made>>, found: readonly number[]]> = [
  ['nobody', {}, []],
  ["those of the leader's session", { 4000100: { session: LEADER }, 4000101: { session: LEADER } }, [4000100, 4000101]],
  ['those with the mark, in another session', { 4000200: { session: 7, mark: 'm' } }, [4000200]],
  ['those with another mark do not count', { 4000200: { session: 7, mark: 'mm' } }, []],
  [
    'what they started, down to grandchildren, in any order',
    { 4000001: { parent: 4000002 }, 4000002: { parent: 4000100 }, 4000100: { session: LEADER } },
    [4000100, 4000002, 4000001],
  ],
  ['a stranger and its child do not count', { 4000300: { session: 8 }, 4000301: { parent: 4000300, session: 8 } }, []],
  ['one that has ended does not count', { 4000100: { session: LEADER, state: 'Z' } }, []],
  ['a name with brackets and blanks', { 4000100: { session: LEADER, comm: 'a) R 1 1 1 (b' } }, [4000100]],
  ['never this process', { [process.pid]: { session: LEADER } }, []],
];
for (const [rule, made, found] of ROWS) {
  t.test(rule, (t) => {
    const folders = Object.entries(made).map(([pid, { parent = 1, session = 1, state = 'S', mark, comm = 'x' }]) => [
      pid,
      {
        stat: `${pid} (${comm}) ${state} ${parent} 1 ${session} 0 0`,
        environ: mark === undefined ? '' : `A=1\0${MARK}=${mark}\0`,
      },
    ]);
    const proc = t.testdir({ self: {}, '5000000': {}, ...Object.fromEntries(folders) } as Parameters<
      typeof t.testdir
    >[0]);
    t.same(new Set(processesOf(LEADER, 'm', proc)), new Set(found));
    t.end();
  });
}

t.test('without /proc there is nobody', (t) => {
  t.same(processesOf(LEADER, 'm', '/nonexistent'), []);
  t.end();
});

t.test('a session, and what left it, is killed', async (t) => {
  const mark = `test-${process.pid}`;
  const line = 'setsid sleep 1000 & sleep 1000 & echo ready; wait';
  const child = spawn('sh', ['-c', line], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, [MARK]: mark },
  });
  const exit = once(child, 'exit');
  await once(child.stdout, 'data');
  const leader = child.pid ?? 0;
  t.ok(processesOf(leader, mark).length >= 3, 'the shell and two sleepers run');
  t.ok(sweepProcesses(leader, mark) >= 1);
  t.same(processesOf(leader, mark), [], 'none is left');
  t.equal((await exit)[1], 'SIGKILL');
});
