import { availableParallelism } from 'node:os';
import t from 'tap';
import { jobLimit, readJobLimits, type JobLimits } from '../../../../agent/dkms/build/process/job-limit.ts';

const GIB = 2 ** 30;

const ROWS: ReadonlyArray<readonly [rule: string, limits: JobLimits, jobs: number]> = [
  ['a job for each processor', { processors: 4, memory: undefined, quota: undefined }, 4],
  ['1.5 GiB of memory for each', { processors: 64, memory: 8 * GIB, quota: undefined }, 5],
  ['what a cgroup may use, rounded up', { processors: 64, memory: undefined, quota: 1.5 }, 2],
  ['the least of the three', { processors: 8, memory: 6 * GIB, quota: 3 }, 3],
  ['one at least: no memory', { processors: 8, memory: 0, quota: undefined }, 1],
  ['one at least: no time', { processors: 8, memory: undefined, quota: 0 }, 1],
];
for (const [rule, limits, jobs] of ROWS) {
  t.test(rule, (t) => {
    t.equal(jobLimit(limits), jobs);
    t.end();
  });
}

const READ: ReadonlyArray<
  readonly [
    rule: string,
    files: Readonly<Record<string, string>>,
    memory: number | undefined,
    quota: number | undefined,
  ]
> = [
  ['nothing tells', {}, undefined, undefined],
  ["the machine's memory", { meminfo: 'MemTotal: 9 kB\nMemAvailable:    2048 kB\n' }, 2 * 2 ** 20, undefined],
  ['the root group has files of its own', { 'self-cgroup': '0::/\n', 'cpu.max': '150000 100000\n' }, undefined, 1.5],
  ['a group below', { 'self-cgroup': '0::/a/b\n', 'a/b/cpu.max': '50000 100000\n' }, undefined, 0.5],
  ['no limit of time', { 'cpu.max': 'max 100000\n' }, undefined, undefined],
  [
    'the group has less than the machine',
    { meminfo: 'MemAvailable: 4096 kB\n', 'memory.max': '1048576\n', 'memory.current': '48576\n' },
    1_000_000,
    undefined,
  ],
  [
    'no limit of memory',
    { meminfo: 'MemAvailable: 1 kB\n', 'memory.max': 'max\n', 'memory.current': '5\n' },
    1024,
    undefined,
  ],
  ['a group beyond its limit has nothing left', { 'memory.max': '10\n', 'memory.current': '20\n' }, 0, undefined],
  [
    'files of another form',
    { meminfo: 'MemAvailable: lots\n', 'cpu.max': '\n', 'memory.max': 'x\n' },
    undefined,
    undefined,
  ],
];
for (const [rule, { meminfo, 'self-cgroup': group, ...files }, memory, quota] of READ) {
  t.test(`read: ${rule}`, (t) => {
    const nested: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(files)) {
      const parts = name.split('/');
      const last = parts.pop() ?? '';
      let at = nested;
      for (const part of parts) at = (at[part] ??= {}) as Record<string, unknown>;
      at[last] = text;
    }
    const proc = { ...(meminfo === undefined ? {} : { meminfo }), self: group === undefined ? {} : { cgroup: group } };
    const dir = t.testdir({ proc, groups: nested } as Parameters<typeof t.testdir>[0]);
    const limits = readJobLimits(`${dir}/proc`, `${dir}/groups`);
    t.same(limits, { processors: availableParallelism(), memory, quota });
    t.end();
  });
}
