import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeRoom } from '../../../../agent/dkms/build/cache/build-cache.ts';
import type { CachePlaces } from '../../../../agent/dkms/build/cache/cache-places.ts';
import { BuildRig, moduleFor, K } from '../build-rig.ts';

/** A make that counts how often it ran. */
const MAKE = 'echo made >> ../count; cp prepared m.ko; touch Module.symvers';

function rigOf(t: ConstructorParameters<typeof BuildRig>[0]) {
  const rig = new BuildRig(t);
  const cache: CachePlaces = { folder: join(rig.home, 'cache'), limit: 1 << 20 };
  const count = () => {
    const file = join(rig.paths.base, 'count');
    return existsSync(file) ? readFileSync(file, 'utf8').length / 'made\n'.length : 0;
  };
  return { rig, cache, count };
}

t.test('the same source is made once', async (t) => {
  const { rig, cache, count } = rigOf(t);
  await rig.build({ cache }, { make: MAKE });
  t.equal(rig.shown(), 'Building module(s)... done.\n');
  rmSync(rig.paths.result, { recursive: true });
  t.equal((await rig.build({ cache }, { make: MAKE })).kind, 'built');
  t.equal(rig.shown(), 'Module m/1.0 was built from the same source before: taken from the cache.\n');
  t.equal(count(), 1);
  t.same(readdirSync(join(rig.paths.result, 'module')).toSorted(), ['Module.symvers', 'm.ko']);
  t.same(readFileSync(join(rig.paths.result, 'module/m.ko')), moduleFor(K));
  t.same(readdirSync(rig.paths.base).toSorted(), [K, 'count', 'source']);
});

t.test('walls are raised once, and only where a command runs', async (t) => {
  const { rig, cache } = rigOf(t);
  let raised = 0;
  const sandbox = async () => {
    raised += 1;
    return { missing: [], user: undefined, words: () => ['env', 'WALLED=yes'] };
  };
  rig.write('src/m-1.0/patches/a', '');
  const conf = { patches: ['a'], make: `test "$WALLED" = yes && ${MAKE}` };
  t.equal((await rig.build({ cache, sandbox }, conf)).kind, 'built');
  t.equal(raised, 1, 'for the patch and for make');
  rmSync(rig.paths.result, { recursive: true });
  t.equal((await rig.build({ cache, sandbox }, conf)).kind, 'built');
  t.equal(raised, 1, 'not for a build from the cache');
});

t.test('what makes another build of it', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, change: (rig: BuildRig) => void, conf: object]> = [
    ['another source', (rig) => rig.write('src/m-1.0/m.c', 'int x;'), {}],
    ['another mode', (rig) => rig.write('src/m-1.0/script', '#!'), {}],
    ['a patch of the administrator', (rig) => rig.write('etc/m/patches/x', 'x'), {}],
    ['another command', () => {}, { make: `${MAKE}; true` }],
    ['other headers', (rig) => rig.write('modules/K/build/include/config/auto.conf', 'CONFIG_X=y\n'), {}],
  ];
  for (const [rule, change, conf] of rows) {
    const { rig, cache, count } = rigOf(t);
    await rig.build({ cache }, { make: MAKE });
    change(rig);
    await rig.build({ cache }, { make: MAKE, ...conf });
    t.equal(count(), 2, rule);
  }
});

t.test('what is not kept', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, conf: object]> = [
    ['a build with a script, which may look at the machine', { preBuild: 'script' }],
    ['one that needs the symbols of others', { buildDepends: ['other'] }],
    ['a failed one', { make: 'false' }],
    ['one for another kernel', { make: 'cp other m.ko' }],
  ];
  for (const [rule, conf] of rows) {
    const { rig, cache } = rigOf(t);
    rig.write('src/m-1.0/other', moduleFor('6.12.3'));
    await rig.build({ cache }, { make: MAKE, ...conf });
    t.notOk(existsSync(cache.folder), rule);
  }
});

t.test('a damaged result counts as none', async (t) => {
  const { rig, cache, count } = rigOf(t);
  await rig.build({ cache }, { make: MAKE });
  const [key = ''] = readdirSync(cache.folder);
  writeFileSync(join(cache.folder, key, '0.ko'), 'x');
  t.equal((await rig.build({ cache }, { make: MAKE })).kind, 'built');
  t.equal(count(), 2);
  await rig.build({ cache }, { make: MAKE });
  t.equal(count(), 2, 'and is replaced');
});

t.test('a folder of others is read, and not written', async (t) => {
  const { rig, cache, count } = rigOf(t);
  await rig.build({ cache }, { make: MAKE });
  const own = join(rig.home, 'own');
  await rig.build({ cache: { ...cache, folder: own, shared: [cache.folder] } }, { make: MAKE });
  t.equal(count(), 1);
  t.notOk(existsSync(own));
});

t.test('room is made by what was not used for the longest time', async (t) => {
  const folder = t.testdir({});
  const keys = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
  keys.forEach((key, i) => {
    mkdirSync(join(folder, key));
    writeFileSync(join(folder, key, '0.ko'), Buffer.alloc(100_000, 1));
    utimesSync(join(folder, key), i, i);
  });
  mkdirSync(join(folder, 'notes'));
  makeRoom(folder, 250_000);
  t.same(readdirSync(folder).toSorted(), [keys[1], keys[2], 'notes']);
});
