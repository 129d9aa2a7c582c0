import t from 'tap';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { openTasks, runningTasks, waitingTasks } from '../../agent/load/task-times.ts';

const MS = 1_000_000n;
const NOW = 100n * MS;

function task(module: string, startedNs?: bigint, endedNs?: bigint) {
  return { module: module as ModuleName, addedNs: 10n * MS, startedNs, endedNs };
}
const TASKS = [task('done', 20n * MS, 30n * MS), task('in_flight', 97_654_321n), task('queued')];

t.test('what has ended is not waited for; what has begun counts from there', (t) => {
  t.same(waitingTasks(TASKS, NOW), [
    { kind: 'insertion', module: 'in_flight', ms: 2.35 },
    { kind: 'queued', module: 'queued' },
  ]);
  t.same(waitingTasks([], NOW), []);
  t.end();
});

t.test('for the status: who asked, and how long it waits for its turn', (t) => {
  const asker = { devpath: '/devices/a' as Devpath, subsystem: 'pci', name: 'pci:v1' };
  const requesterOf = (module: ModuleName) => (module === 'queued' ? asker : undefined);
  t.same(openTasks(TASKS, requesterOf, NOW), [
    { module: 'in_flight', state: 'inserting', ms: 2.35, name: '', device: '' },
    { module: 'queued', state: 'waiting', ms: 90, name: 'pci:v1', device: '/devices/a' },
  ]);
  t.end();
});

t.test('for a progress line: what has only just begun takes no time', (t) => {
  t.same(runningTasks([task('a', 99n * MS), task('b')], NOW), [
    { module: 'a', ms: 1 },
    { module: 'b', ms: 0 },
  ]);
  t.end();
});
