import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { walkArchives } from '../../agent/facts/initramfs/cpio.ts';
import { closureOf } from '../../agent/images/closure.ts';
import { closureEntries, copyEntries } from '../../agent/images/closure-files.ts';
import { writeArchive } from '../../agent/images/cpio-archive.ts';
import { readMachines, thisMachine } from '../../agent/images/machine-wants.ts';
import { openSources } from '../../agent/load/sources.ts';
import type { Closure, ClosureReason } from '../../agent/records/closure.ts';
import { closureText } from '../../agent/report/boot/closure-text.ts';
import { diagnosticsRig, fits, KERNEL } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const TREE = `/lib/modules/${KERNEL}`;

interface Request {
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Lines of a recording. */
  readonly devices?: readonly object[];
  readonly names?: readonly string[];
  readonly allFirmware?: boolean;
}

function closure(t: Test, { files = {}, devices, names = [], allFirmware = false }: Request) {
  const rig = diagnosticsRig(t, files as Record<string, string>);
  for (const [path, content] of Object.entries(files)) rig.put(path, content);
  const file = join(rig.base, 'dell.jsonl');
  if (devices !== undefined) rig.put('dell.jsonl', devices.map((device) => `${JSON.stringify(device)}\n`).join(''));
  const { machines, unusable } = readMachines(rig.host, devices === undefined ? [] : [file]);
  const made = closureOf({ host: rig.host, machines, live: false, names, allFirmware, missing: unusable });
  return { rig, made };
}

const reason = (why: ClosureReason): string =>
  why.kind === 'device'
    ? `device ${why.machine} ${why.name}`
    : why.kind === 'name'
      ? 'named'
      : why.kind === 'request'
        ? `request of ${why.machine}`
        : why.kind === 'link'
          ? `link ${why.from}`
          : `${why.kind} of ${why.of}`;
/** `PATH why`, modules by name. */
const shown = ({ files }: Closure) =>
  files.map(({ path, module, target, why }) =>
    module === undefined
      ? `${path}${target === undefined ? '' : ` -> ${target}`} ${reason(why)}`
      : `${module} ${reason(why)}`,
  );

const NET = { devpath: '/devices/v0', subsystem: 'virtio', modalias: 'virtio:d00000001v1', driver: 'virtio_net' };
const PCI = { devpath: '/devices/p0', subsystem: 'pci', modalias: 'pci:v00001AF4d1', driver: 'virtio-pci' };
const ETC = 'root/etc/modprobe.d/a.conf';

interface Row extends Request {
  readonly expected: readonly string[];
  /** `KIND NAME because`. */
  readonly missing?: readonly RegExp[];
}

const ROWS: Readonly<Record<string, Row>> = {
  'a device, what its module needs, and the firmware that it declares': {
    devices: [NET],
    expected: [
      'virtio depends of virtio_net',
      'virtio_net device dell virtio:d00000001v1',
      '/lib/firmware/virtio/none.bin firmware of virtio_net',
    ],
  },
  'each module once, for all devices': {
    devices: [PCI, NET, PCI],
    expected: [
      'virtio depends of virtio_pci',
      'virtio_pci device dell pci:v00001AF4d1',
      'virtio_net device dell virtio:d00000001v1',
      '/lib/firmware/virtio/none.bin firmware of virtio_net',
    ],
  },
  'names, aliases and MODALIASes': {
    names: ['loop', 'block-major-7-0', 'pci:v000010DEd1'],
    expected: ['loop named', 'nouveau named'],
  },
  'what the kernel of a machine asked for; in vain is nothing': {
    devices: [{ recording: 1, asked: ['fs-loop', 'crypto-none', 'netdev-nouveau'] }, PCI],
    files: { [ETC]: 'alias fs-loop loop' },
    expected: ['virtio depends of virtio_pci', 'virtio_pci device dell pci:v00001AF4d1', 'loop request of dell'],
  },
  'what the root file system of a machine needs': {
    devices: [
      {
        recording: 1,
        root: {
          wants: [
            { name: 'fs-loop', of: 'the file system of /' },
            { name: 'fs-button', of: 'the file system of /usr' },
            { name: 'crypto-none', of: 'the cipher of dm-0', optional: true },
            { name: 'fs-tmpfs', of: 'the file system of /' },
            { name: 'fs-none', of: 'the file system of /' },
          ],
          disks: [],
        },
      },
      PCI,
    ],
    expected: [
      'virtio depends of virtio_pci',
      'virtio_pci device dell pci:v00001AF4d1',
      'loop storage of the file system of /',
    ],
    missing: [/^name fs-none no module has that name/],
  },
  'what is built in needs no file': { names: ['button'], expected: [] },
  'a name of nothing': { names: ['nothing'], expected: [], missing: [/^name nothing no module/] },
  softdeps: {
    files: { [ETC]: 'softdep loop pre: nouveau post: virtio_pci' },
    names: ['loop'],
    expected: [
      'nouveau softdep-pre of loop',
      'loop named',
      'virtio depends of virtio_pci',
      'virtio_pci softdep-post of loop',
    ],
  },
  'weakdeps, and theirs': {
    files: { [ETC]: 'weakdep loop nouveau\nweakdep nouveau virtio_net' },
    names: ['loop'],
    expected: [
      'loop named',
      'nouveau weakdep of loop',
      'virtio depends of virtio_net',
      'virtio_net weakdep of nouveau',
    ],
  },
  'firmware that only a weakdep declares comes with --all-firmware': {
    files: { [ETC]: 'weakdep loop virtio_net' },
    names: ['loop'],
    allFirmware: true,
    expected: [
      'loop named',
      'virtio depends of virtio_net',
      'virtio_net weakdep of loop',
      '/lib/firmware/virtio/none.bin firmware of virtio_net',
    ],
  },
  'of firmware only what the recorded machine has': {
    devices: [{ ...NET, module: 'virtio_net', firmware: ['virtio/other.bin'] }],
    expected: ['virtio depends of virtio_net', 'virtio_net device dell virtio:d00000001v1'],
  },
  'what a rule keeps out, with the rule': {
    files: { [ETC]: 'blacklist nouveau' },
    devices: [{ devpath: '/devices/g', subsystem: 'pci', modalias: 'pci:v000010DEd1' }],
    expected: [],
    missing: [/^kept-out nouveau blacklist nouveau$/],
  },
  'a driver that nothing has': {
    devices: [{ devpath: '/devices/x', subsystem: 'platform', modalias: 'platform:none', driver: 'mystery_driver' }],
    expected: [],
    missing: [/^driver mystery_driver this tree has no module/],
  },
  'a driver that no MODALIAS leads to': {
    devices: [{ devpath: '/devices/x', subsystem: 'block', driver: 'loop', module: 'loop' }],
    expected: ['loop device dell loop'],
  },
  'a file that modules.dep lists and that is not there': {
    files: { [`root${TREE}/modules.dep`]: 'kernel/gone.ko:\n' },
    names: ['gone'],
    expected: [],
    missing: [/^module gone .*gone\.ko is not there$/],
  },
};

for (const [rule, { expected, missing = [], ...request }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const { made } = closure(t, request);
    t.same(shown(made), expected);
    const gaps = made.missing.map(({ kind, name, because }) => `${kind} ${name} ${because}`);
    t.match(gaps, missing);
    t.equal(gaps.length, missing.length, gaps.join('\n'));
    fits(t, 'closure', { schemaVersion: 1, ...(JSON.parse(JSON.stringify(made)) as Closure) });
    t.end();
  });
}

t.test('firmware: every hop of links, compressed files, patterns, and what is missing', (t) => {
  const module = moduleImage({
    modinfo: [
      'firmware=a/x.bin',
      'firmware=b-*.bin',
      'firmware=none.bin',
      'alias=platform:fw',
      `vermagic=${KERNEL} SMP mod_unload `,
    ],
  });
  const rig = diagnosticsRig(t);
  rig.put(`root${TREE}/kernel/fw.ko`, module);
  rig.put(`root${TREE}/modules.dep`, 'kernel/fw.ko:\n');
  const firmware = join(rig.base, 'root/lib/firmware');
  rig.put('root/lib/firmware/real/x-2.bin.xz', 'x');
  rig.put('root/lib/firmware/b-1.bin', '1');
  rig.put('root/lib/firmware/b-2.bin.zst', '2');
  rig.put('root/lib/firmware/updates/b-1.bin', 'newer');
  mkdirSync(join(firmware, 'a'), { recursive: true });
  symlinkSync('x-1.bin.xz', join(firmware, 'a/x.bin.xz'));
  symlinkSync('../real/x-2.bin.xz', join(firmware, 'a/x-1.bin.xz'));
  const made = closureOf({ host: rig.host, machines: [], live: false, names: ['fw'], allFirmware: false, missing: [] });
  t.same(shown(made), [
    'fw named',
    '/lib/firmware/a/x.bin.xz -> x-1.bin.xz firmware of fw',
    '/lib/firmware/a/x-1.bin.xz -> ../real/x-2.bin.xz link /lib/firmware/a/x.bin.xz',
    '/lib/firmware/real/x-2.bin.xz link /lib/firmware/a/x-1.bin.xz',
    '/lib/firmware/updates/b-1.bin firmware of fw',
    '/lib/firmware/b-2.bin.zst firmware of fw',
  ]);
  t.match(made.missing, [{ kind: 'firmware', name: 'none.bin', because: /^none of .* has it/ }]);
  t.match(closureText(made, { width: 80, colour: false }, false), /1 firmware name without a file/);
  t.end();
});

t.test('an archive and a copy are a tree that leads to the same modules', async (t) => {
  const { rig, made } = closure(t, { devices: [PCI, NET] });
  const entries = await closureEntries(rig.host, made);
  const file = join(rig.base, 'x.cpio');
  writeArchive(file, entries);
  const image = readFileSync(file);
  const found = new Map<string, string>();
  t.equal(
    walkArchives(image, ({ name, contents }) => found.set(name, contents.toString('latin1'))),
    undefined,
  );
  t.equal(image.length % 4, 0, 'another archive can follow');
  t.equal(
    found.get(`lib/modules/${KERNEL}/modules.dep`),
    'kernel/virtio/virtio.ko:\nkernel/virtio/virtio_pci.ko: kernel/virtio/virtio.ko\nkernel/net/virtio_net.ko: kernel/virtio/virtio.ko\n',
  );
  t.ok(found.has('lib/firmware/virtio/none.bin') && found.has('lib') && found.has('lib/modules'));
  writeArchive(`${file}2`, entries);
  t.ok(readFileSync(`${file}2`).equals(image), 'the same bytes again');
  const copy = join(rig.base, 'copy');
  copyEntries(copy, entries);
  copyEntries(copy, entries);
  const sources = openSources(openHost({ root: copy, kernel: KERNEL, proc: '/nowhere' }));
  t.ok(sources.matcher.dependencies('virtio_net' as never));
  t.equal(sources.matcher.dependencies('loop' as never), undefined);
  symlinkSync('/tmp', join(rig.base, 'trap'));
  mkdirSync(join(rig.base, 'out'));
  symlinkSync(join(rig.base, 'trap'), join(rig.base, 'out/lib'));
  t.throws(() => copyEntries(join(rig.base, 'out'), entries), { code: 'system' });
});

t.test('bad recordings are named, the others count', (t) => {
  const rig = diagnosticsRig(t);
  rig.put('fleet/a.jsonl', `${JSON.stringify(NET)}\n`);
  rig.put('fleet/b.jsonl', 'no JSON\n');
  rig.put('fleet/c.jsonl', '');
  const { machines, unusable } = readMachines(rig.host, [join(rig.base, 'fleet'), join(rig.base, 'none')]);
  t.same(
    machines.map(({ name }) => name),
    ['a'],
  );
  t.match(unusable, [{ name: /b\.jsonl$/ }, { name: /c\.jsonl$/ }, { name: /none$/ }]);
  t.end();
});

t.test('this machine: suppliers of sysfs', (t) => {
  const rig = diagnosticsRig(t);
  const sys = join(rig.base, 'sys');
  mkdirSync(join(sys, 'devices/platform/clock'), { recursive: true });
  mkdirSync(join(sys, 'bus/platform/drivers/clk'), { recursive: true });
  symlinkSync('../../../../module/loop', join(sys, 'bus/platform/drivers/clk/module'));
  symlinkSync('../../../bus/platform/drivers/clk', join(sys, 'devices/platform/clock/driver'));
  mkdirSync(join(sys, 'devices/virtual/devlink/l'), { recursive: true });
  symlinkSync('../../../platform/clock', join(sys, 'devices/virtual/devlink/l/supplier'));
  symlinkSync('../../virtual/devlink/l', join(sys, 'devices/pci0/0000:00:01.0/supplier:platform:clock'));
  const made = closureOf({
    host: rig.host,
    machines: [thisMachine(rig.host)],
    live: true,
    names: [],
    allFirmware: false,
    missing: [],
  });
  t.same(
    shown(made).filter((line) => line.startsWith('loop')),
    ['loop supplier of virtio_pci'],
  );
  t.end();
});

t.test('what a recording keeps of the root file system a closure has and an image loses', (t) => {
  const rig = diagnosticsRig(t);
  const disk = '/devices/pci0/0000:00:01.0/virtio0/block/vda';
  mkdirSync(join(rig.base, `sys${disk}`), { recursive: true });
  mkdirSync(join(rig.base, 'sys/dev/block'), { recursive: true });
  symlinkSync(join(rig.base, `sys${disk}`), join(rig.base, 'sys/dev/block/254:0'));
  rig.put('proc/self/mountinfo', '22 1 254:0 / / rw - loop /dev/vda rw\n23 1 254:0 / /data rw - none /dev/vda rw\n');
  const recorded = rig.run('devices', '--record');
  t.match(JSON.parse(recorded.stdout.split('\n')[0] ?? ''), {
    root: { wants: [{ name: 'fs-loop', of: 'the file system of /' }], disks: [disk] },
  });
  rig.put('a.jsonl', recorded.stdout);
  const replay = ['--replay', join(rig.base, 'a.jsonl')];
  const closure = JSON.parse(rig.run('closure', ...replay, '--json').stdout) as Closure;
  const why = { kind: 'storage', name: 'fs-loop', of: 'the file system of /', machine: 'a' };
  t.match(closure.files.find(({ module }) => module === 'loop')?.why, why);
  t.match(rig.run('closure', ...replay, '-v').stdout, /loop\.ko {2}fs-loop for the file system/);
  t.match(rig.run('closure', '--names').stdout, /^loop$/m, 'of this machine, too');
  const folder = join(rig.base, 'image');
  rig.run('closure', ...replay, '--copy-to', folder);
  rmSync(join(folder, `lib/modules/${KERNEL}/kernel/block/loop.ko`));
  for (const [name, words] of [
    ['a', replay],
    ['this machine', []],
  ] as const) {
    const checked = rig.run('image', '--check', folder, ...words, '--need', 'disk');
    t.equal(checked.status, 1);
    t.match(
      checked.stdout.replaceAll(/\s+/g, ' '),
      `fs-loop of ${name} (loop): the file system of / needs it: loop is not in the image [disk]`,
    );
  }
  t.match(
    rig.run('devices', '--record', '--root-device', '/data').stdout,
    /"name":"fs-none","of":"the root file system"/,
  );
  t.match(rig.run('devices', '--record', '--root-device', '/dev/sdz'), { stderr: /is on no block device/ });
  t.match(rig.run('devices', '--root-device', '/'), { status: 64, stderr: /goes with --record/ });
  t.end();
});

t.test('--root-device: the file system and what is on the way to its disk, and nothing else', (t) => {
  const rig = diagnosticsRig(t);
  const disk = '/devices/pci0/0000:00:01.0/virtio0/block/vda';
  mkdirSync(join(rig.base, `sys${disk}`), { recursive: true });
  mkdirSync(join(rig.base, 'sys/dev/block'), { recursive: true });
  symlinkSync(join(rig.base, `sys${disk}`), join(rig.base, 'sys/dev/block/254:0'));
  const mounted = (type: string) => rig.put('proc/self/mountinfo', `22 1 254:0 / / rw - ${type} /dev/vda rw\n`);
  mounted('loop');
  const names = rig.run('closure', '--root-device', '/', '--names');
  t.same([names.status, names.stdout.split('\n')], [0, ['virtio', 'virtio_pci', 'virtio_net', 'loop', '']]);
  const { stdout } = rig.run('closure', '--root-device', '/', '--json');
  fits(t, 'closure', JSON.parse(stdout));
  t.match((JSON.parse(stdout) as Closure).files.find(({ module }) => module === 'loop')?.why, {
    kind: 'storage',
    name: 'fs-loop',
    of: 'the file system of /',
  });
  mounted('nofs');
  t.match(rig.run('closure', '--root-device', '/'), { status: 1, stdout: /fs-nofs: no module has that name or alias/ });
  rig.put('proc/self/mountinfo', '22 1 0:5 / / rw - tmpfs none rw\n');
  t.match(rig.run('closure', '--root-device', '/'), {
    status: 1,
    stdout: /missing {3}storage .*tmpfs of \/ is on no block/,
  });
  t.match(rig.run('closure', '--root-device', 'sda'), { status: 64, stderr: /not an absolute path/ });
  t.end();
});
