/** Each row changes one thing that a build's result depends on, or one that it does not. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { cacheKey, type KeyParts } from '../../../../agent/dkms/build/cache/cache-key.ts';
import { BuildRig, K, record } from '../build-rig.ts';

interface Change {
  readonly conf?: Parameters<BuildRig['conf']>[0];
  readonly env?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly release?: string;
  readonly llvm?: boolean;
  readonly files?: Readonly<Record<string, string>>;
  readonly work?: (build: string) => void;
}

async function keyOf(
  t: Test,
  { conf = {}, env = {}, version = '1.0', release = K, llvm = false, files = {}, work }: Change,
) {
  const dir = t.testdir({
    build: { 'm.c': 'int x;', 'make.log': 'x' },
    headers: { Makefile: 'm', scripts: { tool: 'x' } },
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  work?.(join(dir, 'build'));
  const rig = new BuildRig(t);
  const parts: KeyParts = {
    // The rig's folder has another name each time, and stands in its make line.
    request: {
      conf: { ...rig.conf(), make: 'make', ...conf },
      kernel: { release, arch: 'x86_64', sourceDir: join(dir, 'headers'), config: undefined, suffix: '' },
      framework: { compressGzipOpts: '', compressXzOpts: '', compressZstdOpts: '', buildEnvironment: '' },
      module: 'm',
      version,
    },
    build: join(dir, 'build'),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    toolchain: { llvm, variables: {} },
  };
  return cacheKey(parts);
}

const SAME: Readonly<Record<string, Change>> = {
  'another user': { env: { HOME: '/x', USER: 'x', TZ: 'UTC', parallel_jobs: '4' } },
  'the log of a build before': { files: { 'build/make.log': 'y' } },
  'a file of the headers that plugd does not look at': { files: { 'headers/include/linux/x.h': 'x' } },
  'where a module is installed': { conf: { modules: [record('m', { destName: 'n', destLocation: '/extra' })] } },
};
const OTHER: Readonly<Record<string, Change>> = {
  'another version': { version: '1.1' },
  'another kernel': { release: '6.1.1' },
  'another command': { conf: { make: 'make x' } },
  'another module': { conf: { modules: [record('n')] } },
  'a patch': { conf: { patches: ['a.patch'] } },
  'a variable': { env: { KCFLAGS: '-O1' } },
  'another toolchain': { llvm: true },
  'another source': { files: { 'build/m.c': 'int y;' } },
  'one file more': { files: { 'build/sub/n.c': '' } },
  'a file that may be run': { work: (build) => chmodSync(join(build, 'm.c'), 0o755) },
  'a link': { work: (build) => symlinkSync('m.c', join(build, 'l.c')) },
  'another configuration': { files: { 'headers/include/config/auto.conf': 'CONFIG_X=y' } },
  'other symbols': { files: { 'headers/Module.symvers': 'x' } },
  'another tool of the headers, by its size': { files: { 'headers/scripts/tool': 'xy' } },
};
const NONE: Readonly<Record<string, Change>> = {
  'a script before': { conf: { preBuild: 'x.sh' } },
  'a script after': { conf: { postBuild: 'x.sh' } },
  'symbols of another module': { conf: { buildDepends: ['n'] } },
  'symbols that the caller names': { env: { KBUILD_EXTRA_SYMBOLS: '/x' } },
};

t.test('the key of a build', async (t) => {
  const plain = await keyOf(t, {});
  t.match(plain, /^[0-9a-f]{64}$/);
  t.equal(await keyOf(t, {}), plain, 'the same build has the same key');
  for (const [name, change] of Object.entries(SAME)) t.equal(await keyOf(t, change), plain, `the same: ${name}`);
  const others = new Set<string | undefined>([plain]);
  for (const [name, change] of Object.entries(OTHER)) {
    const key = await keyOf(t, change);
    t.notOk(others.has(key), `another: ${name}`);
    others.add(key);
  }
  for (const [name, change] of Object.entries(NONE)) t.equal(await keyOf(t, change), undefined, `none: ${name}`);
});

t.test('links are hashed by where they lead, not by what is there', async (t) => {
  const to = (target: string) => keyOf(t, { work: (build) => symlinkSync(target, join(build, 'l')) });
  t.not(await to('/etc/passwd'), await to('/etc/group'));
});
