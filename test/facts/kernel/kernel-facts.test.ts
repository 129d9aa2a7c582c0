import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import { openFirmware } from '../../../agent/facts/devices/firmware.ts';
import { readInitramfs } from '../../../agent/facts/initramfs/initramfs.ts';
import { readKernelConfig } from '../../../agent/facts/kernel/kernel-config.ts';
import { parseKernelLog, readKernelLog } from '../../../agent/facts/kernel/kernel-log.ts';
import { readKeyrings } from '../../../agent/facts/kernel/keyring.ts';
import { readLockdown, readSecureBoot, readSignatureEnforcement } from '../../../agent/facts/kernel/lockdown.ts';
import { readLoosePaths } from '../../../agent/facts/config/permissions.ts';
import { readPrivileges } from '../../../agent/facts/kernel/privileges.ts';
import { readTaints } from '../../../agent/facts/kernel/taint.ts';
import { CpioWriter } from '../../vm/machine/cpio.ts';

/** A host whose sysfs, procfs and root are folders with these files. */
function hostWith(t: Test, files: Readonly<Record<string, string | Buffer>>): Host {
  const dir = t.testdir({ sys: {}, proc: {}, root: {} });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  const root = join(dir, 'root');
  return {
    root,
    kernel: '6.1.0-1-amd64',
    moduleDir: `${root}/lib/modules/6.1.0-1-amd64`,
    sysfs: join(dir, 'sys'),
    proc: join(dir, 'proc'),
  };
}

const KEYS = `0b0ec0a4 I--Q---     1 perm 1f3f0000     0 65534 keyring   _uid_ses.0: 1
33d55ae2 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 2
a1b2c3d4 I------     1 perm 1f0f0000     0     0 keyring   .secondary_trusted_keys: 1
183987c4 I------     1 perm 0f0b0000     0     0 keyring   .blacklist: empty
f0000001 I------     1 perm 1f030000     0     0 asymmetri Debian Secure Boot CA: 6ccece7e4c6c0d1f6149f3dd27dfcc5cbb419ea1: X509.rsa bb419ea1 []
00000002 I------     1 perm 1f010000     0     0 asymmetri Build: key: 00ff: X509.ecdsa []
00000003 I--Q---     1 perm 1f3f0000     0     0 user      Debian Secure Boot CA: 12: X509.rsa []
`;

t.test('keyrings with the keys that keyctl says are in them', (t) => {
  const host = hostWith(t, { 'proc/keys': KEYS });
  const members: Record<number, number[] | number> = { 0x33d55ae2: [0xf0000001, 2, 3], [0xa1b2c3d4 | 0]: -13 };
  t.same(
    readKeyrings(host, (id) => members[id] ?? []),
    [
      {
        name: '.builtin_trusted_keys',
        count: 2,
        keys: [
          { subject: 'Debian Secure Boot CA', id: '6ccece7e4c6c0d1f6149f3dd27dfcc5cbb419ea1', type: 'X509.rsa' },
          { subject: 'Build: key', id: '00ff', type: 'X509.ecdsa' },
        ],
      },
      { name: '.secondary_trusted_keys', count: 1, keys: undefined },
      { name: '.blacklist', count: 0, keys: [] },
    ],
  );
  t.same(readKeyrings(hostWith(t, {})), [], 'no /proc/keys');
  t.end();
});

t.test('lockdown and sig_enforce', (t) => {
  const lockdown = (text: string) => readLockdown(hostWith(t, { 'sys/kernel/security/lockdown': text }));
  t.equal(lockdown('none [integrity] confidentiality\n'), 'integrity');
  t.equal(lockdown('[none] integrity confidentiality\n'), 'none');
  t.equal(lockdown('garbage\n'), undefined);
  t.equal(readLockdown(hostWith(t, {})), undefined);
  const enforced = (text: string) =>
    readSignatureEnforcement(hostWith(t, { 'sys/module/module/parameters/sig_enforce': text }));
  t.equal(enforced('Y\n'), true);
  t.equal(enforced('N\n'), false);
  t.equal(readSignatureEnforcement(hostWith(t, {})), undefined);
  t.end();
});

/** An EFI variable's file. */
function byte(value: number): Buffer {
  return Buffer.from([6, 0, 0, 0, value]);
}

t.test('Secure Boot from the variables of EFI', (t) => {
  const global = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
  const shim = '605dab50-e046-4300-abb6-3dd810dd8b23';
  const read = (variables: Readonly<Record<string, Buffer>>) =>
    readSecureBoot(
      hostWith(
        t,
        Object.fromEntries(
          Object.entries(variables).map(([name, value]) => [`sys/firmware/efi/efivars/${name}`, value]),
        ),
      ),
    );
  t.match(readSecureBoot(hostWith(t, {})), { state: 'no-efi', mokPending: [] });
  t.match(read({ [`SecureBoot-${global}`]: byte(1), [`SetupMode-${global}`]: byte(0) }), {
    state: 'on',
    validationDisabled: false,
  });
  t.match(read({ [`SecureBoot-${global}`]: byte(0) }), { state: 'off' });
  t.match(read({ [`SecureBoot-${global}`]: byte(0), [`SetupMode-${global}`]: byte(1) }), { state: 'setup-mode' });
  t.match(read({ [`SecureBoot-${global}`]: Buffer.from([6, 0]) }), { state: 'unknown' }, 'truncated');
  t.match(read({ [`SecureBoot-${global}`]: byte(1), [`MokSBStateRT-${shim}`]: byte(1) }), { validationDisabled: true });
  t.match(read({ [`MokNew-${shim}`]: byte(9), [`MokDel-${shim}`]: byte(9) }), {
    state: 'unknown',
    mokPending: ['enroll', 'delete'],
  });
  t.end();
});

t.test('taint bit by bit, with the modules that caused it', (t) => {
  const host = hostWith(t, {
    'proc/sys/kernel/tainted': `${(1 << 12) + (1 << 13) + (1 << 9)}\n`,
    'sys/module/zfs/taint': 'POE\n',
    'sys/module/own/taint': 'O\n',
    'sys/module/ahci/taint': '\n',
  });
  t.same(
    readTaints(host)?.map(({ bit, letter, modules }) => [bit, letter, modules]),
    [
      [9, 'W', []],
      [12, 'O', ['own', 'zfs']],
      [13, 'E', ['zfs']],
    ],
  );
  t.same(readTaints(hostWith(t, { 'proc/sys/kernel/tainted': '0\n' })), []);
  t.match(readTaints(hostWith(t, { 'proc/sys/kernel/tainted': String(2n ** 40n) })), [{ bit: 40, letter: '?' }]);
  t.equal(readTaints(hostWith(t, { 'proc/sys/kernel/tainted': 'x' })), undefined);
  t.equal(readTaints(hostWith(t, {})), undefined);
  t.end();
});

/** /proc/self/status with these sets of capabilities. */
function status(effective: string, bounding = '000001ffffffffff'): string {
  return `Uid:\t1000\t0\t0\t0\nCapEff:\t${effective}\nCapBnd:\t${bounding}\nNoNewPrivs:\t1\nSeccomp:\t2\n`;
}

t.test('what this process may do', (t) => {
  const host = hostWith(t, { 'proc/self/status': status('000001fffffeffff', '000001fffffeffff') });
  mkdirSync(join(host.proc, 'self/ns'), { recursive: true });
  mkdirSync(join(host.proc, '1/ns'), { recursive: true });
  symlinkSync('user:[4026531837]', join(host.proc, 'self/ns/user'));
  symlinkSync('pid:[4026531836]', join(host.proc, 'self/ns/pid'));
  symlinkSync('net:[4026532001]', join(host.proc, 'self/ns/net'));
  symlinkSync('net:[4026532000]', join(host.proc, '1/ns/net'));
  t.match(readPrivileges(host), {
    uid: 0,
    capabilities: { SYS_MODULE: false, NET_ADMIN: true, SYS_ADMIN: true, SYSLOG: true },
    sysModuleBounded: false,
    initialUserNamespace: true,
    initialNetworkNamespace: false,
    seccomp: 'filter',
    noNewPrivileges: true,
  });
  const container = hostWith(t, { 'proc/self/status': status('0000000000010000') });
  mkdirSync(join(container.proc, 'self/ns'), { recursive: true });
  symlinkSync('user:[4026532500]', join(container.proc, 'self/ns/user'));
  symlinkSync('net:[4026532001]', join(container.proc, 'self/ns/net'));
  t.match(readPrivileges(container), {
    capabilities: { SYS_MODULE: true, NET_ADMIN: false },
    initialUserNamespace: false,
    initialNetworkNamespace: undefined,
  });
  t.match(readPrivileges(hostWith(t, {})), { capabilities: { SYS_MODULE: false }, initialUserNamespace: undefined });
  t.end();
});

t.test("the kernel's log", (t) => {
  const text = [
    '6,339,5140900,-;NET: Registered protocol family 10',
    '30,340,5690716,-;udevd[80]: starting version 181',
    '4,341,5690800,c,caller=T12;x: tabs \\x09 and \\xc3\\xa9',
    ' SUBSYSTEM=pci',
    'garbage',
    '',
  ].join('\n');
  const messages = parseKernelLog(text);
  t.same(
    messages.map(({ sequence, timeUs, level }) => [sequence, timeUs, level]),
    [
      [339, 5140900, 6],
      [340, 5690716, 6],
      [341, 5690800, 4],
    ],
  );
  t.equal(messages[2]?.text, 'x: tabs \t and \xc3\xa9');
  const file = join(t.testdir({}), 'kmsg');
  writeFileSync(file, text);
  t.equal(readKernelLog(340, file)?.length, 1, 'only what came later');
  t.equal(readKernelLog(undefined, join(file, 'nowhere')), undefined);
  t.end();
});

t.test('firmware is looked for where the kernel looks', (t) => {
  const host = hostWith(t, {
    'root/lib/firmware/a.bin': 'x',
    'root/lib/firmware/qed/init-8.4.2.bin.zst': 'x',
    'root/lib/firmware/updates/a.bin': 'x',
    'root/lib/firmware/6.1.0-1-amd64/b.bin.xz': 'x',
    'root/opt/firmware/c.bin': 'x',
    'sys/module/firmware_class/parameters/path': '/opt/firmware\n',
  });
  const firmware = openFirmware(host);
  const find = (name: string) => firmware.find(name)?.slice(host.root.length);
  t.equal(find('a.bin'), '/lib/firmware/updates/a.bin', 'updates come first');
  t.equal(find('b.bin'), '/lib/firmware/6.1.0-1-amd64/b.bin.xz', "the release's own folder, compressed");
  t.equal(find('c.bin'), '/opt/firmware/c.bin', 'the folder of the kernel parameter');
  t.equal(find('qed/init-8.4.2.bin'), '/lib/firmware/qed/init-8.4.2.bin.zst');
  t.equal(find('qed/init-*.bin'), '/lib/firmware/qed/init-8.4.2.bin.zst', 'a pattern');
  t.equal(find('qed/init+.bin'), undefined, 'not a regular expression');
  t.equal(find('d.bin'), undefined);
  t.same(openFirmware(hostWith(t, {})).folders, []);
  t.end();
});

t.test("the kernel's configuration", (t) => {
  const host = hostWith(t, {
    'root/boot/config-6.1.0-1-amd64':
      'CONFIG_MODULES=y\n# CONFIG_X is not set\nCONFIG_LSM="lockdown,yama"\nCONFIG_MODULE_SIG=y',
  });
  const config = readKernelConfig(host);
  t.match(config?.file, /boot\/config-6.1.0-1-amd64$/);
  t.same(
    ['CONFIG_MODULES', 'CONFIG_X', 'CONFIG_LSM', 'CONFIG_MODULE_SIG', 'CONFIG_MODULE', 'MODULES'].map((name) =>
      config?.value(name),
    ),
    ['y', undefined, 'lockdown,yama', 'y', undefined, undefined],
  );
  t.equal(readKernelConfig(hostWith(t, {})), undefined);
  t.end();
});

/** The paths that everyone can change. */
function everyone(paths: readonly string[]): readonly string[] {
  return readLoosePaths('', paths)
    .filter(({ who }) => who === 'everyone')
    .map(({ path }) => path);
}

t.test('configuration that others can change', (t) => {
  const host = hostWith(t, {
    'root/etc/modprobe.d/open.conf': '',
    'root/etc/modprobe.d/mine.conf': '',
    'root/tmp/x': '',
  });
  const folder = join(host.root, 'etc/modprobe.d');
  chmodSync(join(folder, 'open.conf'), 0o666);
  chmodSync(join(folder, 'mine.conf'), 0o644);
  symlinkSync('/dev/null', join(folder, 'mask.conf'));
  chmodSync(join(host.root, 'tmp'), 0o1777);
  t.same(everyone([folder, join(host.root, 'nowhere')]), [join(folder, 'open.conf')]);
  t.same(everyone([join(host.root, 'tmp')]), [], 'the sticky bit');
  chmodSync(folder, 0o777);
  t.same(everyone([folder]).toSorted(), [folder, join(folder, 'open.conf')]);
  t.end();
});

t.test('the modules and rules of an initramfs', (t) => {
  const host = hostWith(t, { 'root/boot/x': '' });
  const make = (files: Readonly<Record<string, string>>) => {
    const path = join(host.root, 'boot/part.cpio');
    const cpio = new CpioWriter(path);
    for (const [name, text] of Object.entries(files)) cpio.file(name, text);
    cpio.end();
    return path;
  };
  const early = readFileSync(make({ 'kernel/x86/microcode/GenuineIntel.bin': 'x' }));
  const main = readFileSync(
    make({
      'usr/lib/modules/6.1.0-1-amd64/kernel/drivers/ata/ahci.ko': 'x',
      'usr/lib/modules/6.1.0-1-amd64/kernel/drivers/nvme/host/nvme-core.ko.xz': 'x',
      'etc/modprobe.d/a.conf': 'blacklist nouveau\n',
      'etc/fstab': '',
    }),
  );
  const image = join(host.root, 'boot/initrd.img-6.1.0-1-amd64');
  const expected = {
    kind: 'initramfs',
    file: image,
    modules: new Set(['ahci', 'nvme_core']),
    config: [{ file: '/etc/modprobe.d/a.conf', text: 'blacklist nouveau\n' }],
  };
  writeFileSync(image, main);
  t.same(readInitramfs(host), expected, 'plain');
  writeFileSync(image, Buffer.concat([early, Buffer.alloc(512), gzipSync(main)]));
  t.same(readInitramfs(host), expected, 'microcode, zeros, a compressed archive');
  writeFileSync(image, Buffer.concat([early, Buffer.from('garbage')]));
  t.match(readInitramfs(host), { kind: 'unreadable', why: /neither/ });
  const kinds = new Set<string>();
  for (let length = 0; length < main.length; length += 7) {
    writeFileSync(image, main.subarray(0, length));
    kinds.add(readInitramfs(host).kind);
  }
  t.same([...kinds].toSorted(), ['initramfs', 'unreadable'], 'every truncation is answered');
  t.match(readInitramfs({ ...host, kernel: 'other' }), { kind: 'none' });
  t.end();
});
