import { mkdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { memoryOf } from '../../../../agent/dkms/build/process/build-memory.ts';

/** A folder as /proc is: processes with their kilobytes and children. */
function procOf(t: Test, processes: ReadonlyArray<readonly [pid: number, rss: string, children?: string]>): string {
  const proc = t.testdir();
  for (const [pid, rss, children] of processes) {
    mkdirSync(`${proc}/${pid}/task/${pid}`, { recursive: true });
    writeFileSync(`${proc}/${pid}/status`, `Name:\tcc1\nVmHWM:\t  999999 kB\n${rss}Threads:\t1\n`);
    if (children !== undefined) writeFileSync(`${proc}/${pid}/task/${pid}/children`, children);
  }
  return proc;
}

t.test('the processes of a build are summed', async (t) => {
  const proc = procOf(t, [
    [1, 'VmRSS:\t     500 kB\n', '10 '],
    [10, 'VmRSS:\t     100 kB\n', '11 12 13 '],
    [11, 'VmRSS:\t      20 kB\n', ''],
    [12, '', ''],
  ]);
  t.equal(memoryOf(10, proc), 120 * 1024, 'one that ends has no memory, one that is gone neither');
  t.equal(memoryOf(11, proc), 20 * 1024);
  t.equal(memoryOf(99, proc), 0);
});

t.test('a kernel that names no children shows the first process alone', async (t) => {
  t.equal(memoryOf(10, procOf(t, [[10, 'VmRSS:\t 100 kB\n']])), 100 * 1024);
});

t.test('children in a circle end', async (t) => {
  const proc = procOf(t, [[10, 'VmRSS:\t 1 kB\n', '10 10 ']]);
  t.equal(memoryOf(10, proc), 4096 * 1024);
});

t.test('this process', async (t) => {
  t.ok(memoryOf(process.pid) > 10_000_000);
});
