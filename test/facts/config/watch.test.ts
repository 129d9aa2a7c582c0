import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { watchPaths } from '../../../agent/facts/config/watch.ts';

/** A watch whose calls can be awaited. `told()` waits for the next one after the last that was awaited. */
function watching(paths: (folder: string) => readonly string[], before: (folder: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-watch-'));
  before(folder);
  const calls = new EventEmitter<{ told: [] }>();
  let count = 0;
  let awaited = 0;
  // The watch itself lets the process end.
  const alive = setInterval(() => {}, 1000);
  const problems: string[] = [];
  const watch = watchPaths({
    paths: paths(folder),
    quietMs: 20,
    changed: () => {
      count++;
      calls.emit('told');
    },
    problem: (message) => problems.push(message),
  });
  t.teardown(() => {
    clearInterval(alive);
    watch.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    problems,
    watch,
    calls: () => count,
    told: async () => {
      if (count === awaited) await once(calls, 'told');
      awaited = count;
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
    const { folder, told, problems } = watching((d) => [join(d, 'd')], plant);
    change(folder);
    await told();
    t.same(problems, []);
  });
}

t.test('after each kind of replacement the new directory is watched', async (t) => {
  const { folder, told, calls } = watching((d) => [join(d, 'd')], plant);
  rmSync(join(folder, 'd'), { recursive: true });
  mkdirSync(join(folder, 'd'));
  await told();
  writeFileSync(join(folder, 'd/in-the-second'), '');
  await told();
  renameSync(join(folder, 'd'), join(folder, 'gone'));
  renameSync(join(folder, 'spare'), join(folder, 'd'));
  await told();
  writeFileSync(join(folder, 'd/in-the-third'), '');
  await told();
  const before = calls();
  writeFileSync(join(folder, 'gone/in-the-old-one'), '');
  await sleep(60);
  t.equal(calls(), before, 'the old one is nobody any more');
});

t.test('a path several levels down that is not there yet', async (t) => {
  const { folder, told } = watching((d) => [join(d, 'a/b/c')]);
  mkdirSync(join(folder, 'a'));
  await told();
  mkdirSync(join(folder, 'a/b/c'), { recursive: true });
  await told();
  writeFileSync(join(folder, 'a/b/c/file'), '');
  await told();
  rmSync(join(folder, 'a'), { recursive: true });
  await told();
  mkdirSync(join(folder, 'a/b/c'), { recursive: true });
  writeFileSync(join(folder, 'a/b/c/file'), '');
  await told();
  t.pass('told each time');
});

t.test('of a file only itself counts', async (t) => {
  const { folder, told, calls } = watching((d) => [join(d, 'd/policy.conf')], plant);
  writeFileSync(join(folder, 'd/other'), '');
  writeFileSync(join(folder, 'd/old'), 'x');
  await sleep(60);
  t.equal(calls(), 0);
  writeFileSync(join(folder, 'd/policy.conf'), 'x');
  await told();
});

t.test('many changes are told once, a directory that is never silent now and then', async (t) => {
  const { folder, told, calls } = watching((d) => [join(d, 'd')], plant);
  for (let i = 0; i < 500; i++) writeFileSync(join(folder, `d/${i}`), '');
  await told();
  await sleep(60);
  t.equal(calls(), 1);
  const limited: number[] = [];
  const watch = watchPaths({
    paths: [join(folder, 'd')],
    quietMs: 200,
    limitMs: 300,
    changed: () => limited.push(1),
    problem: () => {},
  });
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(folder, 'd/old'), String(i));
    await sleep(25);
  }
  watch.close();
  t.ok(limited.length >= 1, 'told while it went on');
});

t.test('nothing is told after close', async (t) => {
  const { folder, watch, calls } = watching((d) => [join(d, 'd')], plant);
  writeFileSync(join(folder, 'd/x'), '');
  watch.close();
  await sleep(60);
  t.equal(calls(), 0);
});
