import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Signer } from '../../../agent/dkms/build/build-request.ts';
import {
  builtFile,
  finishModule,
  isBuilt,
  keepSymvers,
  type Finish,
} from '../../../agent/dkms/build/finished-module.ts';
import type { BuildMessage } from '../../../agent/records/dkms/build-message.ts';
import { moduleFor, K, record } from './build-rig.ts';

const PLACES = { key: '/k', certificate: '/c' };
const SETTINGS = {
  compressGzipOpts: '-n',
  compressXzOpts: '--check=crc32',
  compressZstdOpts: '-q',
  buildEnvironment: '',
};

async function finish(t: Test, more: Partial<Finish>, strip = false) {
  const image = moduleFor(K).toString('latin1');
  const dir = t.testdir({ build: {}, into: {} });
  writeFileSync(join(dir, 'build/m.ko'), image, 'latin1');
  const told: BuildMessage[] = [];
  const [build, into] = [join(dir, 'build'), join(dir, 'into')];
  const parts = {
    build,
    into,
    llvm: false,
    signer: undefined,
    suffix: '',
    settings: SETTINGS,
    tell: (message: BuildMessage) => told.push(message),
  } as const;
  const done = await finishModule({ ...record('m', { destName: 'n', strip }) }, { ...parts, ...more });
  return { done, told, into, build };
}

t.test('the path of a module, and whether make made it', async (t) => {
  const dir = t.testdir({ build: { 'm.ko': 'x', src: { 'sub.ko': 'x' }, 'folder.ko': {} }, 'out.ko': 'x' });
  const build = join(dir, 'build');
  symlinkSync('m.ko', join(build, 'inside.ko'));
  symlinkSync('../out.ko', join(build, 'outside.ko'));
  t.equal(builtFile(build, { name: 'sub', location: 'src' }), join(build, 'src/sub.ko'));
  const rows: ReadonlyArray<readonly [name: string, location: string, made: boolean]> = [
    ['m', '', true],
    ['sub', 'src', true],
    ['inside', '', true],
    ['outside', '', false],
    ['folder', '', false],
    ['nothing', '', false],
    ['out', '..', false],
  ];
  for (const [name, location, made] of rows) t.equal(isBuilt(build, { name, location }), made, `${location}/${name}`);
});

t.test('a module is copied by its new name, and may be read by all', async (t) => {
  const { done, told, into } = await finish(t, {});
  t.equal(done, true);
  t.same(told, []);
  t.equal(statSync(join(into, 'n.ko')).mode & 0o777, 0o644);
  t.same(readFileSync(join(into, 'n.ko')), moduleFor(K));
});

for (const [suffix, magic] of [
  ['.gz', '1f8b'],
  ['.xz', 'fd37'],
  ['.zst', '28b5'],
] as const) {
  t.test(`compressed as ${suffix}`, async (t) => {
    const { done, told, into } = await finish(t, { suffix });
    t.equal(done, true);
    t.same(told, []);
    t.equal(readFileSync(join(into, `n.ko${suffix}`)).toString('hex', 0, 2), magic);
    t.notOk(existsSync(join(into, 'n.ko')), 'the plain one is gone');
  });
}

t.test('a compression that fails is told, and the module stays as it is', async (t) => {
  const { done, told, into } = await finish(t, {
    suffix: '.xz',
    settings: { ...SETTINGS, compressXzOpts: '--nonsense' },
  });
  t.equal(done, true);
  t.match(told, [{ kind: 'compression-failed', output: /nonsense/ }]);
  t.same(readFileSync(join(into, 'n.ko')), moduleFor(K));
});

const SIGNERS: ReadonlyArray<
  readonly [rule: string, output: string | undefined, done: boolean, kinds: readonly string[]]
> = [
  ['signed', undefined, true, ['signing-module']],
  ['a signer that fails', 'no key', true, ['signing-module', 'signing-failed']],
  ['no space to sign', 'cannot write: No space left on device', false, ['signing-module']],
];
for (const [rule, output, done, kinds] of SIGNERS) {
  t.test(rule, async (t) => {
    const asked: string[] = [];
    const signer: Signer = {
      places: PLACES,
      sign: async (file) => {
        asked.push(file);
        return output === undefined ? { kind: 'signed' } : { kind: 'failed', output };
      },
    };
    const ran = await finish(t, { signer });
    t.equal(ran.done, done);
    t.same(asked, [join(ran.into, 'n.ko')], 'the copy is signed');
    t.same(
      ran.told.map(({ kind }) => kind),
      kinds,
    );
  });
}

t.test('the CRCs of exports are kept, if make left a file of them', async (t) => {
  const dir = t.testdir({ a: { 'Module.symvers': '0x1 x' }, b: {}, c: {}, into: {}, none: {}, linked: {} });
  keepSymvers(join(dir, 'a'), join(dir, 'into'));
  t.equal(readFileSync(join(dir, 'into/Module.symvers'), 'utf8'), '0x1 x');
  keepSymvers(join(dir, 'b'), join(dir, 'none'));
  symlinkSync('/etc/passwd', join(dir, 'c/Module.symvers'));
  keepSymvers(join(dir, 'c'), join(dir, 'linked'));
  t.notOk(existsSync(join(dir, 'none/Module.symvers')));
  t.notOk(existsSync(join(dir, 'linked/Module.symvers')), "a link is no file of make's");
});
