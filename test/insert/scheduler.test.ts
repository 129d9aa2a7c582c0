import t from 'tap';
import { moduleName, type ModuleName } from '../../agent/base/names.ts';
import type { PlanEdge } from '../../agent/plan/plan.ts';
import { Scheduler } from '../../agent/insert/scheduler.ts';
import type { Task } from '../../agent/insert/task.ts';

/** A bench of hand-operated tasks: each ends when the test says so. */
function bench(jobs: number) {
  const running: string[] = [];
  const ended: string[] = [];
  const finish = new Map<string, (ok: boolean) => void>();
  let clock = 0n;
  const scheduler = new Scheduler<boolean>({
    jobs,
    succeeded: (result) => result,
    now: () => ++clock,
    started: (record) => running.push(record.module),
    ended: (record) =>
      ended.push(record.outcome?.kind === 'skipped' ? `${record.module}<-${record.outcome.because}` : record.module),
  });
  const task = (name: string, after: Record<string, boolean> = {}, urgent = false): Task<boolean> => ({
    module: moduleName(name),
    after: Object.entries(after).map(([module, required]): PlanEdge => ({ module: moduleName(module), required })),
    urgent,
    run: async () => new Promise<boolean>((resolve) => finish.set(name, resolve)),
  });
  const end = async (name: string, ok = true) => {
    finish.get(name)?.(ok);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { scheduler, task, end, running, ended };
}

t.test('a module runs once however many plans hold it', async (t) => {
  const { scheduler, task, end, running } = bench(2);
  scheduler.add([task('a')]);
  scheduler.add([task('a'), task('b', { a: true })]);
  scheduler.add([task('a')]);
  t.same(running, ['a']);
  await end('a');
  scheduler.add([task('a')]);
  t.same(running, ['a', 'b'], 'done tasks are remembered');
  await end('b');
  t.equal(scheduler.open, 0);
});

t.test('independent modules run together up to the limit', async (t) => {
  const { scheduler, task, end, running } = bench(2);
  scheduler.add([task('a'), task('b'), task('c')]);
  t.same(running, ['a', 'b']);
  await end('a');
  t.same(running, ['a', 'b', 'c']);
  t.same(
    scheduler.inFlight().map((record) => record.module),
    ['b', 'c'],
  );
});

t.test('height decides among the ready', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  scheduler.add([task('first')]);
  scheduler.add([task('leaf')]);
  scheduler.add([task('base'), task('middle', { base: true }), task('top', { middle: true })]);
  await end('first');
  await end('base');
  await end('middle');
  t.same(running, ['first', 'base', 'middle', 'leaf'], 'middle and leaf: middle has one above it, top ties with leaf');
});

t.test('rank goes before height, and passes to what it waits for', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  scheduler.add([task('first')]);
  scheduler.add([task('base'), task('middle', { base: true }), task('top', { middle: true })]);
  scheduler.add([task('core')]);
  scheduler.add([task('core'), { ...task('controller', { core: true }), rank: 1 }]);
  await end('first');
  await end('core');
  t.same(running, ['first', 'core', 'controller']);
});

t.test('a failed dependency skips what requires it, all the way up', async (t) => {
  const { scheduler, task, end, ended, running } = bench(4);
  scheduler.add([task('dep'), task('mid', { dep: true }), task('top', { mid: true }), task('soft', { dep: false })]);
  await end('dep', false);
  t.same(ended, ['dep', 'mid<-dep', 'top<-mid']);
  t.same(running, ['dep', 'soft'], 'a softdep that failed stops nobody');
  scheduler.add([task('late', { dep: true })]);
  t.same(ended.at(-1), 'late<-dep', 'known failures are remembered');
});

t.test('edges to modules without a task are not waited for', (t) => {
  const { scheduler, task, running } = bench(2);
  scheduler.add([task('top', { 'loaded-before': true })]);
  t.same(running, ['top']);
  t.end();
});

t.test('softdeps in both directions give way instead of waiting forever', async (t) => {
  const { scheduler, task, end } = bench(1);
  scheduler.add([task('x')]);
  scheduler.add([task('b'), task('a', { b: false })]);
  scheduler.add([task('a'), task('b', { a: false })]);
  await end('x');
  await end('b');
  await end('a');
  t.equal(scheduler.open, 0);
  t.same(scheduler.record(moduleName('a'))?.waitedFor, ['b']);
});

t.test('an edge can come while the module is ready but has no slot', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  scheduler.add([task('x')]);
  scheduler.add([task('y')]);
  scheduler.add([task('z'), task('y', { z: true })]);
  await end('x');
  t.same(running, ['x', 'z']);
  await end('z');
  t.same(running, ['x', 'z', 'y']);
});

t.test('urgent tasks go beyond the limit', (t) => {
  const { scheduler, task, running } = bench(1);
  scheduler.add([task('init')]);
  scheduler.add([task('other'), task('asked', {}, true)]);
  t.same(running, ['init', 'asked']);
  t.end();
});

t.test('an urgent task hurries what it waits for, also what was there before', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  scheduler.add([task('init')]);
  scheduler.add([task('dep'), task('asked', { dep: true })]);
  scheduler.add([task('idle')]);
  scheduler.add([task('dep', {}, true), task('asked', { dep: true }, true)]);
  t.same(running, ['init', 'dep'], 'beyond the limit');
  await end('dep');
  t.same(running, ['init', 'dep', 'asked']);
  await end('asked');
  t.same(running, ['init', 'dep', 'asked'], 'the limit still holds for others');
});

t.test('an urgent task does not wait for an init that runs, in which it may have its cause', async (t) => {
  const { scheduler, task, end, running } = bench(2);
  scheduler.add([task('init')]);
  scheduler.add([task('init'), task('other'), task('known', { init: true, other: true })]);
  t.same(running, ['init', 'other']);
  scheduler.add([task('init', {}, true), task('fresh', { init: true }, true)]);
  t.same(running, ['init', 'other', 'fresh']);
  scheduler.add([task('init', {}, true), task('other', {}, true), task('known', { init: true, other: true }, true)]);
  t.same(running, ['init', 'other', 'fresh', 'known']);
  for (const name of ['init', 'other', 'fresh', 'known']) await end(name);
  t.equal(scheduler.open, 0);
});

t.test('a released task makes room and is still waited for', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  scheduler.add([task('sleeps'), task('after', { sleeps: true })]);
  scheduler.add([task('other'), task('third')]);
  scheduler.release('sleeps' as ModuleName);
  scheduler.release('sleeps' as ModuleName);
  scheduler.release('never-heard-of' as ModuleName);
  t.same(running, ['sleeps', 'other'], 'one more, not two');
  await end('other');
  await end('third');
  await end('sleeps');
  t.same(running, ['sleeps', 'other', 'third', 'after']);
  await end('after');
  t.equal(scheduler.open, 0);
  scheduler.add([task('x'), task('y')]);
  t.same(running.slice(4), ['x'], 'the limit is what it was');
});

t.test('whenIdle and forget', async (t) => {
  const { scheduler, task, end, running } = bench(1);
  await scheduler.whenIdle();
  scheduler.add([task('a'), task('b', { a: true })]);
  const idle = scheduler.whenIdle();
  await end('a');
  await end('b', false);
  await idle;
  scheduler.forget((record) => record.module === ('a' as ModuleName));
  scheduler.add([task('a'), task('b')]);
  t.same(running, ['a', 'b', 'b'], 'b may be tried again, a is still known');
});

t.test('whenDone waits for just these', async (t) => {
  const { scheduler, task, end } = bench(1);
  const name = (text: string) => text as ModuleName;
  await scheduler.whenDone([name('nobody')]);
  scheduler.add([task('a'), task('b'), task('c', { a: true })]);
  const done: string[] = [];
  const watches = [['a', 'c'], ['b'], ['b', 'nobody']].map(async (modules) => {
    await scheduler.whenDone(modules.map(name));
    done.push(modules.join(' '));
  });
  await end('a', false);
  await watches[0];
  t.same(done, ['a c'], 'c was skipped with it');
  await end('b');
  await Promise.all(watches);
  t.same(done, ['a c', 'b', 'b nobody']);
  await scheduler.whenDone([name('a'), name('b'), name('c')]);
});

t.test('random graphs: every task ends, none before what it waits for (seeded)', async (t) => {
  let seed = 7;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % n;
  };
  for (let round = 0; round < 50; round++) {
    const done = new Set<ModuleName>();
    let clock = 0n;
    let most = 0;
    let now = 0;
    const scheduler = new Scheduler<boolean>({ jobs: 3, succeeded: Boolean, now: () => ++clock });
    for (let plan = 0; plan < 20; plan++) {
      const tasks: Array<Task<boolean>> = [];
      for (let i = 0; i < 6; i++) {
        const module = moduleName(`m${random(40)}`);
        const after = tasks
          .slice(-2)
          .filter((other) => other.module !== module)
          .map((other) => ({ module: other.module, required: random(2) === 0 }));
        tasks.push({
          module,
          after,
          run: async () => {
            most = Math.max(most, ++now);
            for (const edge of scheduler.record(module)?.waitedFor ?? []) {
              if (!done.has(edge)) t.fail(`${module} ran before ${edge}`);
            }
            for (let turns = random(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
            now--;
            done.add(module);
            return true;
          },
        });
      }
      scheduler.add(tasks);
      if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await scheduler.whenIdle();
    t.equal(done.size, scheduler.records().length, `round ${round}: ${done.size} ran`);
    if (most > 3) t.fail(`${most} ran at once`);
  }
});
