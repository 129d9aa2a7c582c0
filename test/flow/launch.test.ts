/** What the build leaves in dist/: a bundle for each part with a code cache that V8 takes, and a launcher that finds the right one. */
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { runProgram } from '../fixtures/commands.ts';

const root = join(import.meta.dirname, '../../..');
const dist = join(root, 'dist');
const plugd = join(dist, 'plugd.cjs');

t.test('every bundle has a code cache, and V8 takes it', (t) => {
  const bundles = readdirSync(dist).filter((name) => /^plugd\.[a-z-]+\.[0-9a-f]{16}\.cjs$/.test(name));
  t.same(
    bundles.map((name) => name.split('.')[1] ?? '').toSorted((a, b) => (a < b ? -1 : 1)),
    ['agent', 'all', 'bare', 'coldplug', 'dkms', 'dkms-status', 'load', 'lookup', 'modprobe', 'test'],
  );
  for (const name of bundles) {
    const source = readFileSync(join(dist, name), 'latin1');
    const cachedData = readFileSync(join(dist, name.replace(/cjs$/, 'cache')));
    // A cache that V8 refuses costs a third of a start and is felt by nobody.
    t.equal(new Script(source, { filename: name, cachedData }).cachedDataRejected, false, name);
    t.notMatch(source, /[^\0-\x7f]/, 'ASCII, so that V8 keeps it as bytes');
  }
  t.end();
});

t.test('the launcher finds the bundle that has the command', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-launch-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const under = (name: string) => {
    const link = join(folder, name);
    symlinkSync(plugd, link);
    return link;
  };
  const dkms = under('dkms');
  const rows: ReadonlyArray<readonly [program: string, args: readonly string[], status: number, output: RegExp]> = [
    [plugd, ['--version'], 0, /^plugd \d/],
    [plugd, ['-h'], 0, /usage: plugd COMMAND/],
    [plugd, [], 64, /usage: plugd COMMAND/],
    [plugd, ['no-such'], 64, /no command 'no-such'/],
    [plugd, ['toString'], 64, /no command 'toString'/],
    [plugd, ['bare'], 64, /no command 'bare'/],
    [plugd, ['all'], 64, /no command 'all'/],
    [plugd, ['dkms-status'], 64, /no command 'dkms-status'/],
    [plugd, ['dkms', 'status', '--root', folder], 0, /^$/],
    [plugd, ['dkms', 'status', 'add'], 4, /more than one action/],
    [plugd, ['dkms', 'match', '-k', '1.0', '--root', folder], 4, /missing os-release/],
    [plugd, ['coldplug', '--help'], 0, /plugd coldplug/],
    [plugd, ['devices', '--help'], 0, /plugd devices/],
    [under('modprobe'), ['--help'], 0, /modprobe/],
    [under('insmod'), ['coldplug'], 1, /coldplug/],
    [under('lsmod'), ['test'], 1, /too many arguments/],
    [dkms, ['status', '--root', folder], 0, /^$/],
    [dkms, ['-q', 'status', '--root', folder], 0, /^$/],
    [under('renamed'), ['coldplug', '--help'], 0, /plugd coldplug/],
  ];
  for (const [program, args, status, output] of rows) {
    const ran = await runProgram(program, args);
    t.equal(ran.status, status, [program, ...args].join(' '));
    t.match(ran.stdout + ran.stderr, output);
  }
});

t.test("the caller's variables for Node have no influence, under any name", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-launch-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(plugd, join(folder, 'link'));
  symlinkSync('link', join(folder, 'lsmod'));
  const rows: ReadonlyArray<readonly [name: string, value: string]> = [
    ['NODE_OPTIONS', '--require=/nonexistent.js'],
    ['NODE_OPTIONS', '--bogus'],
    ['NODE_OPTIONS', '--inspect=127.0.0.1:1'],
    ['NODE_EXTRA_CA_CERTS', '/nonexistent.pem'],
    ['NODE_DEBUG', 'fs,module'],
    ['NODE_ICU_DATA', '/nonexistent'],
    ['NODE_PRESERVE_SYMLINKS_MAIN', '1'],
    ['NODE_V8_COVERAGE', join(folder, 'coverage')],
  ];
  for (const [name, value] of rows) {
    const env = { ...process.env, [name]: value };
    const under = await runProgram(join(folder, 'lsmod'), ['-V'], { env });
    t.match(under, { status: 0, stdout: /^kmod version/, stderr: '' }, `${name}=${value} lsmod`);
    const own = await runProgram(plugd, ['--version'], { env });
    t.match(own, { status: 0, stdout: /^plugd \d/, stderr: '' }, `${name}=${value} plugd`);
  }
  t.notOk(readdirSync(folder).includes('coverage'));
  const words = ['x y', '', "it's", '$(id)', '*', '-'];
  const odd = await runProgram(join(folder, 'link'), ['lookup', ...words]);
  t.match(odd.stderr, "'-' stands alone", 'words come through the shell as they are');
});

t.test('a cache that is missing or of another Node is written by the next run of who owns the folder', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-launch-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bundle = readdirSync(dist).find((name) => /^plugd\.bare\..*\.cjs$/.test(name)) ?? '';
  for (const name of ['plugd.cjs', bundle]) copyFileSync(join(dist, name), join(folder, name));
  const program = join(folder, 'plugd.cjs');
  const cache = join(folder, bundle.replace(/cjs$/, 'cache'));
  const isTaken = () => {
    const source = readFileSync(join(folder, bundle), 'latin1');
    return new Script(source, { cachedData: readFileSync(cache) }).cachedDataRejected === false;
  };
  const version = { status: 0, stdout: /^plugd \d/, stderr: '' };
  t.match(await runProgram(program, ['--version']), version);
  t.ok(isTaken(), 'there was none');
  const foreign = readFileSync(cache);
  foreign.fill(0xff, 4, 8);
  writeFileSync(cache, foreign);
  t.match(await runProgram(program, ['--version']), version);
  t.ok(isTaken(), 'V8 rejected the one that was there');
  const before = statSync(cache).ino;
  t.match(await runProgram(program, ['--version']), version);
  t.equal(statSync(cache).ino, before, 'a good one stays');
  rmSync(cache);
  if (process.geteuid?.() === 0) {
    chownSync(folder, 65_534, 65_534);
    t.match(await runProgram(program, ['--version']), version);
    t.same(readdirSync(folder).toSorted(), [bundle, 'plugd.cjs'], "another's folder is left alone");
  }
});

t.test('code-caches.mjs fills all of them', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'plugd-launch-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, 'dist');
  mkdirSync(folder);
  const bundles = readdirSync(dist).filter((name) => /^plugd\..*cjs$/.test(name));
  for (const name of bundles) copyFileSync(join(dist, name), join(folder, name));
  copyFileSync(join(dist, 'yaml.cjs'), join(folder, 'yaml.cjs'));
  for (const name of ['native', 'node_modules', 'rules']) symlinkSync(join(root, name), join(base, name));
  const ran = await runProgram(process.execPath, [join(root, 'agent/launch/code-caches.mjs'), folder]);
  t.match(ran, { status: 0, stderr: '' });
  t.equal(readdirSync(folder).filter((name) => name.endsWith('.cache')).length, bundles.length - 1);
});
