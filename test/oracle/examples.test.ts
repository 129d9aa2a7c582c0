/** The examples as a user runs them, on Debian's module tree and on a real uevent socket. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { AgentRig, rigMissing } from '../fixtures/agent-rig.ts';
import { debianTree, plantTree } from '../fixtures/debian.ts';

const root = join(import.meta.dirname, '../../..');
const tree = await debianTree('amd64');
const skip = tree.kind === 'missing' ? { skip: tree.sentence } : {};
const missing = rigMissing();
const NVME = 'pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02';
const NIC = 'pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00';

const example = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'examples', name), ...args], { encoding: 'utf8' });

/** A root with Debian's tree and this modprobe.d. */
function image(t: Test, config: string): { root: string; modules: string; kernel: string } {
  if (tree.kind === 'missing') throw new Error(tree.sentence);
  const base = t.testdir({ 'etc/modprobe.d': { 'test.conf': config }, 'lib/modules': {} });
  const modules = join(base, 'lib/modules', tree.kernel);
  plantTree(tree, base);
  return { root: base, modules, kernel: tree.kernel };
}

t.setTimeout(600_000);

t.test('every example is run here', (t) => {
  const text = readFileSync(join(root, 'test/oracle/examples.test.ts'), 'utf8');
  for (const name of readdirSync(join(root, 'examples'))) t.match(text, name);
  t.end();
});

t.test('why-not-loaded', skip, (t) => {
  const blocked = image(t, 'blacklist nvme\n');
  const place = join(blocked.root, 'etc/modprobe.d/test.conf:1');
  const refused = example('why-not-loaded.mjs', NVME, blocked.root);
  t.equal(refused.status, 1, refused.stderr);
  t.equal(
    refused.stdout,
    `a MODALIAS: blacklisted, blacklist nvme (${place})\n  nvme: blacklisted\n    blacklist nvme  (${place})\n` +
      '→ remove that line, or load it by name: modprobe nvme\n',
  );
  const served = example('why-not-loaded.mjs', NIC, blocked.root);
  t.match(served, { status: 0, stdout: /^a MODALIAS: would-insert, .*\n {2}e1000e: would-insert\n/ });
  t.match(example('why-not-loaded.mjs', 'no such thing', blocked.root), { status: 1 });
  t.end();
});

t.test('image-drivers', skip, (t) => {
  const { root: base, modules } = image(t, 'blacklist nvme\n');
  const recording = join(base, 'machine.jsonl');
  const line = (devpath: string, modalias: string, driver: string) =>
    `${JSON.stringify({ devpath, subsystem: 'pci', modalias, driver })}\n`;
  writeFileSync(recording, line('/devices/a', NIC, 'e1000e') + line('/devices/b', NVME, 'nvme'));
  const part = example('image-drivers.mjs', recording, base);
  t.equal(part.status, 0, part.stderr);
  t.match(part.stdout, /\/e1000e\.ko\n$/);
  t.match(part.stderr, 'nothing here by modalias: /devices/b, which had nvme');
  writeFileSync(join(base, 'etc/modprobe.d/test.conf'), '');
  const whole = example('image-drivers.mjs', recording, base);
  const files = whole.stdout.trimEnd().split('\n');
  t.notMatch(whole.stderr, 'nothing here');
  for (const file of files) t.ok(file.startsWith(modules) && existsSync(file), file);
  t.match(files.at(-1), /\/nvme\.ko$/, 'after everything that it needs');
  t.ok(
    files.findIndex((file) => file.endsWith('/t10-pi.ko')) < files.findIndex((file) => file.endsWith('/nvme-core.ko')),
  );
  t.end();
});

t.test("build-indexes: byte for byte those of Debian's depmod", skip, (t) => {
  const { root: base, modules } = image(t, '');
  const target = join(base, 'indexes');
  mkdirSync(target);
  const built = example('build-indexes.mjs', modules, target);
  t.equal(built.status, 0, built.stderr);
  const names = readdirSync(target).toSorted();
  t.ok(names.length >= 10);
  for (const name of names) {
    t.match(built.stdout, new RegExp(`^${name} +\\d+ bytes$`, 'm'));
    // Before release 33 depmod had no weakdeps.
    if (name === 'modules.weakdep' && !existsSync(join(modules, name))) continue;
    t.ok(readFileSync(join(target, name)).equals(readFileSync(join(modules, name))), name);
  }
  t.match(example('build-indexes.mjs', join(base, 'none'), target), { status: 1, stderr: /none/ });
  t.end();
});

t.test('watch-uevents', missing === undefined ? {} : { skip: missing.sentence }, async (t) => {
  const rig = await AgentRig.open(t, { modules: {} });
  const child = rig.inside([process.execPath, join(root, 'examples/watch-uevents.mjs'), '2']);
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('close', resolve));
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  if (child.stderr === null) throw new Error('no pipe');
  for await (const line of createInterface({ input: child.stderr })) if (line === 'listening') break;
  await rig.play([
    { action: 'add', devpath: '/devices/a', SUBSYSTEM: 'pci', MODALIAS: NIC },
    { action: 'remove', devpath: '/devices/a', SUBSYSTEM: 'pci' },
  ]);
  t.equal(await ended, 0, 'it ends after two, by itself');
  t.match(out, new RegExp(`^add pci /devices/a\n {2}${NIC} → .+\nremove pci /devices/a\n$`));
});
