import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runBuildCommand, type BuildCommand } from '../../../../agent/dkms/build/process/build-process.ts';
import { jobLimit, readJobLimits } from '../../../../agent/dkms/build/process/job-limit.ts';
import { openJobserver, type JobSlot } from '../../../../agent/dkms/build/process/jobserver.ts';

/** Eight targets that each write `begin`, sleep a little and write `end`. */
const MAKEFILE = `TARGETS := 1 2 3 4 5 6 7 8
all: $(TARGETS)
$(TARGETS):
\t@echo begin >> $(LOG); sleep 0.05; echo end >> $(LOG)
.PHONY: all $(TARGETS)
`;

function command(home: string, text: string, slot: JobSlot, more: Partial<BuildCommand> = {}): BuildCommand {
  return {
    command: text,
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', LOG: join(home, 'log'), ...slot.env },
    variables: {},
    source: '',
    output: openSync(join(home, 'output'), 'a'),
    inherited: slot.inherited,
    ...more,
  };
}

/** How many targets were at work at the same time, at most. */
function most(log: string): number {
  let now = 0;
  let top = 0;
  for (const line of log.trim().split('\n')) {
    now += line === 'begin' ? 1 : -1;
    top = Math.max(top, now);
  }
  return top;
}

t.test('two makes share a pool of jobs', async (t) => {
  const home = t.testdir({ Makefile: MAKEFILE, log: '', output: '' });
  const pool = await openJobserver(3);
  t.teardown(() => pool.close());
  t.equal(pool.idle(), 3);
  const run = async () => {
    const slot = await pool.take();
    const ending = await runBuildCommand(command(home, 'make all', slot));
    slot.give();
    return ending;
  };
  t.match(await Promise.all([run(), run()]), [{ status: 0 }, { status: 0 }]);
  const log = readFileSync(join(home, 'log'), 'utf8');
  t.equal(log.match(/begin/g)?.length, 16);
  t.ok(most(log) <= 3, `${most(log)} jobs at a time`);
  t.equal(pool.idle(), 3, 'all jobs are back');
  t.notMatch(readFileSync(join(home, 'output'), 'utf8'), /jobserver/, 'make found the pool');
});

t.test('one make uses the whole pool', async (t) => {
  const home = t.testdir({
    Makefile: 'all: a b\na b:\n\t@touch $@.up; until test -e a.up -a -e b.up; do sleep 0.01; done\n',
    output: '',
  });
  const pool = await openJobserver(2);
  t.teardown(() => pool.close());
  const slot = await pool.take();
  // Each target waits for the other, so that only two jobs at a time get to the end.
  t.match(await runBuildCommand(command(home, 'make all', slot)), { kind: 'ended', status: 0 });
  slot.give();
  t.equal(pool.idle(), 2);
});

t.test('a make waits for its first job', async (t) => {
  const pool = await openJobserver(1, { clock: { now: () => 0, after: (_, work) => (setImmediate(work), () => {}) } });
  t.teardown(() => pool.close());
  const first = await pool.take();
  let begun = false;
  const second = pool.take().then((slot) => {
    begun = true;
    return slot;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(begun);
  first.give();
  (await second).give();
  const abort = new AbortController();
  const third = await pool.take();
  const fourth = pool.take(abort.signal);
  abort.abort();
  (await fourth).give();
  t.equal(pool.idle(), 0, 'a wait that was ended gives nothing back');
  third.give();
  t.equal(pool.idle(), 1);
});

t.test('the jobs of a make that was killed are not lost', async (t) => {
  const home = t.testdir({ Makefile: `${MAKEFILE}a b c:\n\t@touch $@.up; sleep 1000\n`, log: '', output: '' });
  const pool = await openJobserver(3);
  t.teardown(() => pool.close());
  const slot = await pool.take();
  const abort = new AbortController();
  const running = runBuildCommand(command(home, 'make a b c', slot, { signal: abort.signal }));
  while (!['a', 'b', 'c'].every((name) => existsSync(join(home, `${name}.up`))))
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(pool.idle(), 0, 'make has them all');
  abort.abort();
  await running;
  slot.give();
  t.equal(pool.idle(), 3);
});

t.test('how many jobs suit a machine', async (t) => {
  const GIB = 2 ** 30;
  const rows: ReadonlyArray<
    readonly [processors: number, memory: number | undefined, quota: number | undefined, jobs: number]
  > = [
    [8, undefined, undefined, 8],
    [64, 8 * GIB, undefined, 5],
    [8, GIB, undefined, 1],
    [8, 64 * GIB, 1.5, 2],
    [8, 64 * GIB, 0.2, 1],
    [1, 64 * GIB, 16, 1],
  ];
  for (const [processors, memory, quota, jobs] of rows) {
    t.equal(jobLimit({ processors, memory, quota }), jobs, `${processors} processors, ${memory} bytes, quota ${quota}`);
  }
  const home = t.testdir({
    proc: { meminfo: 'MemTotal: 9 kB\nMemAvailable:   4194304 kB\n', self: { cgroup: '0::/a/b\n' } },
    cgroups: {
      a: { b: { 'cpu.max': '150000 100000\n', 'memory.max': '2147483648\n', 'memory.current': '1073741824\n' } },
    },
  });
  t.match(readJobLimits(join(home, 'proc'), join(home, 'cgroups')), { memory: GIB, quota: 1.5 });
  writeFileSync(join(home, 'cgroups/a/b/cpu.max'), 'max 100000\n');
  writeFileSync(join(home, 'cgroups/a/b/memory.max'), 'max\n');
  t.match(readJobLimits(join(home, 'proc'), join(home, 'cgroups')), { memory: 4 * GIB, quota: undefined });
  t.match(readJobLimits('/nowhere', '/nowhere'), { memory: undefined, quota: undefined });
});
