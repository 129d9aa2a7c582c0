import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CLOCK } from '../../../agent/base/clock.ts';
import { watchPaths, type WatchOptions } from '../../../agent/facts/config/watch.ts';
import { MovedClock } from '../../base/moved-clock.ts';

const QUIET_MS = 100;
const LIMIT_MS = 5000;

/** A watch by a clock that the test moves. */
function watching(
  t: Test,
  paths: (folder: string) => readonly string[],
  before: (folder: string) => void = () => {},
  options: Partial<WatchOptions> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-watch-'));
  before(folder);
  const clock = new MovedClock();
  const problems: string[] = [];
  let calls = 0;
  const own = watchPaths({
    paths: paths(folder),
    clock,
    changed: () => calls++,
    problem: (message) => problems.push(message),
    ...options,
  });
  const barrier = mkdtempSync(join(tmpdir(), 'plugd-barrier-'));
  // It keeps the process alive, which the watch itself does not.
  const after = watch(barrier);
  t.teardown(() => {
    after.close();
    own.close();
    for (const made of [folder, barrier]) rmSync(made, { recursive: true, force: true });
  });
  /** All watches of a process share one queue of inotify's: what happened before has been heard when this has. */
  const heard = async () => {
    const event = once(after, 'change');
    writeFileSync(join(barrier, 'now'), '');
    await event;
    // A file that is written is two events; the second must not be taken for the next one's.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };
  return {
    folder,
    clock,
    problems,
    watch: own,
    heard,
    calls: () => calls,
    /** How often it tells of what happened so far, once it is quiet. */
    told: async () => {
      const told = calls;
      await heard();
      clock.move(QUIET_MS);
      return calls - told;
    },
  };
}

const FILES: Record<string, (folder: string) => void> = {
  'a new file': (d) => writeFileSync(join(d, 'd/new'), ''),
  'a file written in place': (d) => writeFileSync(join(d, 'd/old'), 'x'),
  'an atomic replacement': (d) => {
    writeFileSync(join(d, 'd/.tmp'), 'x');
    renameSync(join(d, 'd/.tmp'), join(d, 'd/old'));
  },
  'a file moved in from elsewhere': (d) => renameSync(join(d, 'outside'), join(d, 'd/in')),
  'a file removed': (d) => unlinkSync(join(d, 'd/old')),
  'a masking link': (d) => symlinkSync('/dev/null', join(d, 'd/mask.conf')),
  'the directory removed': (d) => rmSync(join(d, 'd'), { recursive: true }),
  'the directory replaced by a rename': (d) => {
    renameSync(join(d, 'd'), join(d, 'gone'));
    renameSync(join(d, 'spare'), join(d, 'd'));
  },
};
const plant = (folder: string) => {
  for (const name of ['d', 'spare']) mkdirSync(join(folder, name));
  for (const name of ['d/old', 'outside']) writeFileSync(join(folder, name), '');
};
for (const [name, change] of Object.entries(FILES)) {
  t.test(`told of ${name}`, async (t) => {
    const { folder, told, problems } = watching(t, (d) => [join(d, 'd')], plant);
    change(folder);
    t.equal(await told(), 1);
    t.equal(await told(), 0, 'once');
    t.same(problems, []);
  });
}

t.test('after each kind of replacement the new directory is watched', async (t) => {
  const { folder, told } = watching(t, (d) => [join(d, 'd')], plant);
  rmSync(join(folder, 'd'), { recursive: true });
  mkdirSync(join(folder, 'd'));
  t.equal(await told(), 1);
  writeFileSync(join(folder, 'd/in-the-second'), '');
  t.equal(await told(), 1);
  renameSync(join(folder, 'd'), join(folder, 'gone'));
  renameSync(join(folder, 'spare'), join(folder, 'd'));
  t.equal(await told(), 1);
  writeFileSync(join(folder, 'd/in-the-third'), '');
  t.equal(await told(), 1);
  writeFileSync(join(folder, 'gone/in-the-old-one'), '');
  t.equal(await told(), 0, 'the old one is nobody any more');
});

t.test('a path several levels down that is not there yet', async (t) => {
  const { folder, told } = watching(t, (d) => [join(d, 'a/b/c')]);
  const rows: ReadonlyArray<readonly [name: string, change: () => void, told: number]> = [
    ['the first level', () => mkdirSync(join(folder, 'a')), 1],
    ['the rest at once', () => mkdirSync(join(folder, 'a/b/c'), { recursive: true }), 1],
    ['a file in it', () => writeFileSync(join(folder, 'a/b/c/file'), ''), 1],
    ['a neighbour of it', () => writeFileSync(join(folder, 'a/b/other'), ''), 0],
    ['all of it removed', () => rmSync(join(folder, 'a'), { recursive: true }), 1],
    [
      'all of it made',
      () => {
        mkdirSync(join(folder, 'a/b/c'), { recursive: true });
        writeFileSync(join(folder, 'a/b/c/file'), '');
      },
      1,
    ],
  ];
  for (const [name, change, expected] of rows) {
    change();
    t.equal(await told(), expected, name);
  }
});

t.test('of a file only itself counts', async (t) => {
  const { folder, told } = watching(t, (d) => [join(d, 'd/policy.conf')], plant);
  writeFileSync(join(folder, 'd/other'), '');
  writeFileSync(join(folder, 'd/old'), 'x');
  t.equal(await told(), 0);
  writeFileSync(join(folder, 'd/policy.conf'), 'x');
  t.equal(await told(), 1);
});

t.test('many changes cause one call, when nothing has happened for a moment', async (t) => {
  const { folder, clock, heard, calls } = watching(t, (d) => [join(d, 'd')], plant);
  for (let i = 0; i < 500; i++) writeFileSync(join(folder, `d/${i}`), '');
  await heard();
  clock.move(QUIET_MS - 1);
  t.equal(calls(), 0);
  writeFileSync(join(folder, 'd/old'), 'x');
  await heard();
  clock.move(QUIET_MS - 1);
  t.equal(calls(), 0, 'the moment begins again');
  clock.move(1);
  t.equal(calls(), 1);
  clock.move(10 * LIMIT_MS);
  t.equal(calls(), 1);
});

t.test('constant changes in a directory cause a call now and then', async (t) => {
  const { folder, clock, heard, calls } = watching(t, (d) => [join(d, 'd')], plant);
  const toldAt: number[] = [];
  for (let ms = 0; ms < 2.5 * LIMIT_MS; ms += QUIET_MS / 2) {
    writeFileSync(join(folder, 'd/old'), String(ms));
    await heard();
    const before = calls();
    clock.move(QUIET_MS / 2);
    if (calls() > before) toldAt.push(clock.now());
  }
  // The first change after each telling begins the next limit.
  t.same(toldAt, [LIMIT_MS, 2 * LIMIT_MS]);
});

t.test('no call comes after close', async (t) => {
  const { folder, watch: own, told, clock } = watching(t, (d) => [join(d, 'd')], plant);
  writeFileSync(join(folder, 'd/old'), 'x');
  own.close();
  t.equal(await told(), 0, 'what had not been heard');
  t.same(clock.pending, []);
  const second = watching(t, (d) => [join(d, 'd')], plant);
  writeFileSync(join(second.folder, 'd/old'), 'x');
  await second.heard();
  second.watch.close();
  t.same(second.clock.pending, [], 'what had been heard and not told');
});

t.test('by the machine’s clock', async (t) => {
  const changed = new Promise<void>((resolve) => {
    const { folder } = watching(t, (d) => [join(d, 'd')], plant, { clock: CLOCK, changed: resolve });
    writeFileSync(join(folder, 'd/old'), 'x');
  });
  await t.resolves(changed);
});
