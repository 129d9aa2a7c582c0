/** `plugd keys` as a program. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { EFI_GUID } from '../../../agent/facts/efi/efi-variables.ts';
import { signatureListOf } from '../../../agent/facts/efi/signature-list.ts';
import { signModule } from '../../../agent/trust/module-signature.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { fits, plugd } from '../../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

t.setTimeout(600_000);

function rig(t: Test) {
  const base = t.testdir({});
  const put = (name: string, bytes: string | Buffer) => {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), bytes);
  };
  const run = (...args: string[]) => {
    const ended = spawnSync(process.execPath, [plugd, 'keys', ...args], {
      cwd: base,
      encoding: 'utf8',
      env: { ...process.env, COLUMNS: '80' },
    });
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  };
  return { base, put, run };
}

t.test('a key is made once, and its state is told', (t) => {
  const { base, put, run } = rig(t);
  const files = ['--key', 'k/mok.key', '--cert', 'k/mok.pub'];
  const machine = ['--sysfs', join(base, 'sys'), '--proc', join(base, 'proc')];
  put('proc/keys', '');
  put('sys/module/module/parameters/sig_enforce', 'Y\n');
  const variable = (name: string, guid: string, value: Buffer) =>
    put(`sys/firmware/efi/efivars/${name}-${guid}`, Buffer.concat([Buffer.alloc(4), value]));
  variable('SecureBoot', EFI_GUID.global, Buffer.from([1]));
  t.match(run('status', ...files, ...machine), { status: 1, stdout: /^There is no key/ });
  t.match(run('generate', ...files, '--name', 'Rig key'), { status: 0, stdout: 'made k/mok.key and k/mok.pub\n' });
  const key = readFileSync(join(base, 'k/mok.key'));
  t.match(run('generate', ...files), { status: 1, stderr: /are there already/ });
  t.ok(readFileSync(join(base, 'k/mok.key')).equals(key));
  t.match(run('status', ...files, ...machine), {
    status: 1,
    stdout: /^The key is not enrolled[^]*plugd keys enroll --cert k\/mok\.pub/,
  });
  const list = signatureListOf([readFileSync(join(base, 'k/mok.pub'))], EFI_GUID.shim);
  variable('MokNew', EFI_GUID.shim, list);
  t.match(run('status', ...files, ...machine), { status: 1, stdout: /^The key waits to be enrolled/ });
  t.match(run('enroll', ...files, ...machine), { status: 1, stdout: /^The key waits to be enrolled/ });
  variable('MokListRT', EFI_GUID.shim, list);
  t.match(JSON.parse(run('status', '--json', ...files, ...machine).stdout), { state: 'trusted', usable: true });
  t.match(run('enroll', ...files, ...machine), { status: 0, stdout: /^The kernel trusts the key/ });
  t.end();
});

t.test('without mokutil, enroll writes what mokutil would', (t) => {
  const { base, put, run } = rig(t);
  const files = ['--key', 'mok.key', '--cert', 'mok.pub'];
  const machine = ['--sysfs', join(base, 'sys'), '--proc', join(base, 'proc')];
  put('proc/keys', '');
  put('sys/module/module/parameters/sig_enforce', 'Y\n');
  put(`sys/firmware/efi/efivars/SecureBoot-${EFI_GUID.global}`, Buffer.from([6, 0, 0, 0, 1]));
  put('hash', `$6$saltsalt$${'a'.repeat(86)}\n`);
  put('none', 'geheim\n');
  run('generate', ...files);
  const enroll = (...args: string[]) => {
    const ended = spawnSync(process.execPath, [plugd, 'keys', 'enroll', ...files, ...machine, ...args], {
      cwd: base,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: base },
    });
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  };
  t.match(enroll(), { status: 1, stderr: /no terminal[^]*--hash-file/ });
  t.match(enroll('--hash-file', 'none'), { status: 1, stderr: /none: not the hash of a password/ });
  t.match(enroll('--hash-file', 'hash'), { status: 0, stdout: /^The key waits to be enrolled[^]*"Enroll MOK"/ });
  const added = readFileSync(join(base, `sys/firmware/efi/efivars/MokNew-${EFI_GUID.shim}`));
  t.ok(added.includes(readFileSync(join(base, 'mok.pub'))));
  run('generate', '--key', 'b.key', '--cert', 'b.pub');
  t.match(enroll('--hash-file', 'hash', '--cert', 'b.pub', '--key', 'b.key'), {
    status: 1,
    stderr: /waits for the next boot already: MokAuth, MokNew[^]*mokutil/,
  });
  t.end();
});

t.test("the kernel's image and its own modules are read on demand", (t) => {
  const { base, put, run } = rig(t);
  put('proc/keys', '3a71fc11 I------     2 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1\n');
  put('sys/firmware/efi/efivars/x', '');
  const list = signatureListOf([makeMok({ commonName: 'Owner' }).certificateDer], EFI_GUID.shim);
  put(`sys/firmware/efi/efivars/MokListRT-${EFI_GUID.shim}`, Buffer.concat([Buffer.alloc(4), list]));
  const machine = ['--sysfs', join(base, 'sys'), '--proc', join(base, 'proc')];
  t.match(run(...machine), {
    status: 0,
    stdout: /^Owner\n[^]*\nThe kernel's image and its own modules were not read: plugd keys --all\n$/,
  });
  t.notMatch(run('--all', ...machine).stdout, /were not read/);
  t.match(JSON.parse(run('--json', ...machine).stdout), { whole: false });
  t.end();
});

t.test('the keys of another tree', (t) => {
  const { put, run } = rig(t);
  const kernel = makeMok({ commonName: 'Kernel key' });
  const image = moduleImage({ modinfo: ['license=GPL'] });
  put('root/boot/vmlinuz-1', Buffer.concat([Buffer.from('Kernel panic - not syncing'), kernel.certificateDer]));
  put('root/var/lib/dkms/mok.pub', makeMok({ commonName: 'DKMS key' }).certificateDer);
  const signedBy = { key: createPrivateKey(kernel.keyPem), certificate: kernel.certificateDer };
  put('root/lib/modules/1/kernel/a.ko', signModule(image, { ...signedBy, hash: 'sha256' }));
  put('root/lib/modules/1/updates/dkms/b.ko', signModule(image, { ...signedBy, hash: 'sha256' }));
  const place = ['--root', 'root', '--kernel', '1', '--sysfs', 'nothing'];
  const { stdout } = run(...place);
  t.match(
    stdout.replaceAll(/\n {2}/g, ' '),
    /^Kernel key trusted for modules \(\.builtin_trusted_keys\) .*signs 2 installed modules, of which not the kernel's own: updates\/dkms\/b\.ko/,
  );
  t.match(stdout, /\nDKMS key\n {2}whether it is trusted for modules is not known/);
  t.same(
    stdout.split('\n').filter((line) => line.length > 80),
    [],
  );
  const json: unknown = JSON.parse(run('--json', ...place).stdout);
  t.match(json, { whole: true, keys: [{ modules: 2, outOfTree: ['updates/dkms/b.ko'] }] }, 'no keyring can be seen');
  fits(t, 'keys', json);
  t.match(run('status', ...place), { status: 64, stderr: /leave out --root/ });
  t.match(run('toString'), { status: 64, stderr: /takes one of list/ });
  t.end();
});
