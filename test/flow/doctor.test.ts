/** `plugd doctor` as a program on a root of its own, before another kernel, and on this machine. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CheckResult } from '../../agent/explain/doctor/health.ts';
import { diagnosticsRig, plugd } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

t.setTimeout(600_000);

t.test('doctor: a tree and its rules', (t) => {
  const { json, run, tree, base, put } = diagnosticsRig(t);
  const checks = (...args: string[]) => new Map(json('doctor', ...args).checks.map((check) => [check.id, check]));
  const well = checks();
  t.same(
    [...well.values()].filter(({ state }) => state === 'wrong'),
    [],
  );
  t.equal(run('doctor', '-q').status, 0);
  t.match(well.get('module-tree'), { state: 'ok', summary: /^6 modules in / });

  put(
    'root/etc/modprobe.d/a.conf',
    'blaklist x\nblacklist nouveu\nblacklist button\nblacklist virtio\noptions virtio_net naqi_tx=1\noptions virtio_net napi_tx=maybe\nalias a off\n',
  );
  put('root/usr/lib/modprobe.d/vendor.conf', 'blacklist nouveu2\n');
  chmodSync(join(base, 'root/etc/modprobe.d/a.conf'), 0o666);
  writeFileSync(join(tree, 'kernel/new.ko'), '');
  unlinkSync(join(tree, 'kernel/block/loop.ko'));
  const ill = checks();
  const told = (id: string) =>
    [ill.get(id)?.state, ill.get(id)?.summary, ...(ill.get(id)?.evidence ?? []), ill.get(id)?.remedy].join('\n');
  t.match(told('configuration'), /^wrong[^]*a.conf:1:1: 'blaklist' is not a directive[^]*did you mean blacklist\?/);
  t.match(told('idle-rules'), /no module nouveu; did you mean nouveau\?/);
  t.match(told('idle-rules'), /button is built into the kernel/);
  t.match(told('idle-rules'), /virtio has no alias, and blacklist counts only for aliases/);
  t.match(told('idle-rules'), /no parameter naqi_tx; did you mean napi_tx\?/);
  t.match(told('idle-rules'), /maybe is no value for napi_tx/);
  t.match(
    told('idle-rules'),
    /1 rule for modules that this tree does not have/,
    "a distribution's rule for another kernel",
  );
  t.notMatch(told('idle-rules'), /alias a/);
  t.match(told('permissions'), /^wrong[^]*a.conf[^]*chmod o-w/);
  t.match(told('tree-complete'), /^wrong[^]*kernel\/block\/loop.ko/);
  t.match(told('indexes'), /^wrong[^]*kernel\/new.ko[^]*depmod -b /);
  t.equal(run('doctor', '-q').status, 1);
  const { stdout } = run('doctor');
  t.match(stdout, /^wrong {4}configuration {5}1 line of configuration/m);
  t.match(stdout, /^6 checks: 4 wrong, 1 warning$/m);
  t.same(
    stdout.split('\n').filter((line) => line.length > 80 && !line.includes(base)),
    [],
    'it fits 80 columns',
  );

  rmSync(join(tree, 'kernel/new.ko'));
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(tree, 'kernel/gpu/nouveau.ko'), later, later);
  t.match(checks().get('indexes'), { state: 'warning', summary: /1 module file changed after depmod ran/ });
  rmSync(tree, { recursive: true });
  mkdirSync(join(base, 'root/lib/modules/9.9'), { recursive: true });
  t.match(checks().get('module-tree'), { state: 'wrong', summary: /no modules for kernel 6.1.0-test, only for 9.9/ });
  t.end();
});

t.test('doctor: before the next kernel boots', (t) => {
  const { base, tree, json, run } = diagnosticsRig(t, {
    'proc/modules': 'virtio 1 0 - Live 0x0\nvirtio_net 1 0 - Live 0x0\nzfs 1 0 - Live 0x0 (POE)\n',
  });
  t.equal(run('doctor', '--next-kernel', '7.0').status, 1, 'there is no such tree');
  const next = join(base, 'root/lib/modules/7.0');
  mkdirSync(join(next, 'kernel'), { recursive: true });
  for (const name of readdirSync(tree).filter((each) => each.startsWith('modules.')))
    writeFileSync(join(next, name), readFileSync(join(tree, name)));
  writeFileSync(join(next, 'modules.dep'), 'kernel/virtio.ko:\nkernel/virtio_net.ko: kernel/virtio.ko\n');
  writeFileSync(join(next, 'modules.alias'), 'alias virtio:d00000001v* virtio_net\n');
  writeFileSync(join(next, 'modules.order'), 'kernel/virtio.ko\nkernel/virtio_net.ko\n');
  writeFileSync(join(next, 'kernel/virtio.ko'), moduleImage({ modinfo: ['vermagic=7.0 SMP ', 'intree=Y'] }));
  writeFileSync(join(next, 'kernel/virtio_net.ko'), moduleImage({ modinfo: ['vermagic=6.9 SMP ', 'firmware=x.bin'] }));
  const checks = new Map(json('doctor', '--next-kernel', '7.0').checks.map((check) => [check.id, check]));
  t.match(checks.get('next-modules'), {
    state: 'wrong',
    summary: /1 module of 3/,
    evidence: ['zfs'],
    remedy: /dkms autoinstall -k 7.0/,
  });
  t.match(checks.get('next-devices'), { state: 'wrong', evidence: [/pci 0000:00:01.0, driven by virtio-pci/] });
  t.match(checks.get('next-files'), { state: 'wrong', evidence: [/virtio_net \(vermagic\)/] });
  t.match(checks.get('next-firmware'), { state: 'warning', evidence: [/virtio_net: x.bin/] });
  t.match(checks.get('next-signatures'), { state: 'warning', summary: /nothing enforces signatures now/ });
  t.end();
});

t.test("doctor: this machine's own kernel", (t) => {
  const ended = spawnSync(process.execPath, [plugd, 'doctor', '--json'], { encoding: 'utf8' });
  const { checks } = JSON.parse(ended.stdout) as { checks: CheckResult[] };
  const support = checks.find(({ id }) => id === 'module-support');
  let modules = true;
  try {
    readFileSync('/proc/modules');
  } catch {
    modules = false;
  }
  t.equal(support?.state, modules ? 'ok' : 'wrong', support?.summary ?? '');
  if (!modules) t.match(support?.summary, /^this kernel was built without loadable modules/);
  t.equal(ended.status, checks.some(({ state }) => state === 'wrong') ? 1 : 0);
  t.end();
});
