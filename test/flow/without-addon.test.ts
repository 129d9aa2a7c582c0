/** What works before the addon is built, or where it cannot be: questions. What has to talk to the kernel says what is missing. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { diagnosticsRig, KERNEL } from '../fixtures/diagnostics-rig.ts';
import { machineOptions } from '../fixtures/sysfs.ts';

t.setTimeout(600_000);
const dist = join(import.meta.dirname, '../../../dist');

/** The bundles and what they depend on, as in a package whose install script did not run. */
const folder = mkdtempSync(join(tmpdir(), 'plugd-bare-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'dist'));
symlinkSync(join(dist, '../node_modules'), join(folder, 'node_modules'));
for (const name of readdirSync(dist).filter((each) => /\.(cjs|cache)$/.test(each)))
  copyFileSync(join(dist, name), join(folder, 'dist', name));

const VIRTIO = 'pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00';

const SAME: ReadonlyArray<readonly string[]> = [
  ['devices', '--all'],
  ['devices', '--json'],
  ['test', VIRTIO],
  ['why', 'virtio_pci'],
  ['modules'],
  ['coldplug', '-n'],
  ['closure', '--names'],
];

t.test('questions have the same answers', (t) => {
  const { base } = diagnosticsRig(t);
  const run = (program: string, [command = '', ...words]: readonly string[]) => {
    const all = [program, command, ...machineOptions(base, KERNEL), ...words];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
    return { status, stdout: stdout.replaceAll(/\d+(\.\d+)? m?s\b/g, 'N ms'), stderr };
  };
  for (const words of SAME) {
    const ours = run(join(folder, 'dist/plugd.cjs'), words);
    t.same(ours, run(join(dist, 'plugd.cjs'), words), words.join(' '));
    t.not(ours.stdout, '', `${words.join(' ')} says something: ${ours.stderr}`);
  }
  t.end();
});

t.test('what needs the addon names it, and how to build it', (t) => {
  const { base } = diagnosticsRig(t);
  const words = [join(folder, 'dist/plugd.cjs'), 'agent', '--run-dir', join(base, 'run')];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stderr, /the addon|addon \(native\/build\/Release\/plugd\.node\) is not built/);
  t.match(stderr, 'npm run build:native');
  t.end();
});
