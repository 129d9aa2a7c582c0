import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readImage } from '../../agent/facts/initramfs/image-contents.ts';
import { closureOf } from '../../agent/images/closure.ts';
import { closureEntries, copyEntries } from '../../agent/images/closure-files.ts';
import { writeArchive, type ArchiveEntry } from '../../agent/images/cpio-archive.ts';
import { DriverPlaces } from '../../agent/images/driver-places.ts';
import { checkImage } from '../../agent/images/image-check.ts';
import { readMachines } from '../../agent/images/machine-wants.ts';
import { isGoodImage, type DeviceClass, type ImageCheck } from '../../agent/records/image-check.ts';
import { imageCheckText } from '../../agent/report/boot/image-check-text.ts';
import { diagnosticsRig, fits, KERNEL, MAGIC } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const TREE = `/lib/modules/${KERNEL}`;
const PCI = { devpath: '/devices/p0', subsystem: 'pci', modalias: 'pci:v00001AF4d1bc02sc00', driver: 'virtio-pci' };
const NET = { devpath: '/devices/p0/v0', subsystem: 'virtio', modalias: 'virtio:d00000001v1', driver: 'virtio_net' };
const GPU = { devpath: '/devices/g', subsystem: 'pci', modalias: 'pci:v000010DEd1bc03sc00', driver: 'nouveau' };
const KEYS = { devpath: '/devices/p0/v0/k', subsystem: 'usb', modalias: 'usb:v1d1ic03isc01ip01in00', driver: 'usbhid' };

type Entries = Map<string, ArchiveEntry['content']>;

interface Row {
  readonly devices?: readonly object[];
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Changes an image of just the closure. */
  readonly change?: (entries: Entries) => void;
  readonly need?: readonly DeviceClass[];
  /** `DRIVER CLASSES because`. */
  readonly lost?: readonly RegExp[];
  /** `PATH because`. */
  readonly stale?: readonly RegExp[];
  readonly firmware?: readonly string[];
  readonly problems?: readonly RegExp[];
  readonly unneeded?: readonly string[];
  readonly good: boolean;
}

const text = (content: string | Buffer): ArchiveEntry['content'] => ({
  kind: 'bytes',
  read: () => Buffer.from(content as string, 'latin1'),
});
const without =
  (...patterns: readonly RegExp[]) =>
  (entries: Entries) => {
    for (const path of entries.keys()) if (patterns.some((one) => one.test(path))) entries.delete(path);
  };

const ROWS: Readonly<Record<string, Row>> = {
  "an image of a closure's files loses nothing": { good: true },
  'a driver that is not there, by its class': {
    change: without(/virtio_net\.ko/),
    lost: [/^virtio_net network virtio_net is not in the image$/],
    good: false,
  },
  'a dependency that is not there': {
    devices: [NET],
    change: without(/virtio\.ko/),
    lost: [/^virtio_net network virtio_net needs virtio, which the image lacks$/],
    good: false,
  },
  'a class that is not asked for decides nothing': {
    change: without(/nouveau/),
    need: ['disk', 'network', 'keyboard'],
    lost: [/^nouveau console nouveau is not in the image$/],
    good: true,
  },
  'what is below a lost device goes with it': {
    devices: [{ ...PCI, modalias: 'pci:v00001AF4d1bc0Csc03' }, NET, KEYS],
    change: without(/virtio_pci/),
    need: ['network'],
    lost: [/^virtio-pci keyboard,network,other virtio_pci is not in the image$/, /^usbhid keyboard this tree has no/],
    good: false,
  },
  'modules.dep without the module': {
    devices: [PCI],
    change: (entries) => {
      entries.set(`${TREE}/modules.dep`, text('kernel/virtio/virtio.ko:\n'));
      without(/modules\.dep\.bin/)(entries);
    },
    lost: [/the image's modules\.dep does not have virtio_pci/],
    good: false,
  },
  'modules.dep with a path at which nothing is': {
    devices: [PCI],
    change: (entries) => {
      entries.set(`${TREE}/modules.dep`, text('kernel/elsewhere/virtio_pci.ko:\n'));
      without(/modules\.dep\.bin/)(entries);
    },
    lost: [/modules\.dep names kernel\/elsewhere\/virtio_pci\.ko, which is not there/],
    good: false,
  },
  'modules.alias that does not lead to it': {
    devices: [PCI],
    change: (entries) => {
      entries.set(`${TREE}/modules.alias`, text(''));
      without(/modules\.alias\.bin/)(entries);
    },
    lost: [/nothing in the image's modules\.alias leads to virtio_pci/],
    good: false,
  },
  'a blacklist line in the image only': {
    change: (entries) => entries.set('/etc/modprobe.d/old.conf', text('# old\nblacklist nouveau\n')),
    lost: [/^nouveau console blacklist nouveau \(\/etc\/modprobe\.d\/old\.conf:2 in the image\)$/],
    stale: [/^\/etc\/modprobe\.d\/old\.conf the tree does not have it$/],
    good: false,
  },
  'the same line in both: the image shall lack it': {
    files: { 'root/etc/modprobe.d/a.conf': 'blacklist nouveau\n' },
    change: (entries) => entries.set('/etc/modprobe.d/a.conf', text('# copied\nblacklist nouveau\n')),
    good: true,
  },
  'rules that have changed since, and rules that came since': {
    files: { 'root/etc/modprobe.d/a.conf': 'options loop a=1\n', 'root/etc/modprobe.d/b.conf': 'options loop b=1\n' },
    change: (entries) => entries.set('/etc/modprobe.d/a.conf', text('options loop a=2\n')),
    stale: [/a\.conf its rules are not those of \/etc\/modprobe\.d\/a\.conf$/, /b\.conf the image does not have it$/],
    good: true,
  },
  'a module of another build': {
    change: (entries) =>
      entries.set(`${TREE}/kernel/gpu/nouveau.ko`, text(moduleImage({ modinfo: ['srcversion=OLD', MAGIC] }))),
    files: { [`root${TREE}/kernel/gpu/nouveau.ko`]: moduleImage({ modinfo: ['srcversion=NEW', MAGIC] }) },
    stale: [/nouveau\.ko its srcversion is OLD, the tree's NEW$/],
    good: true,
  },
  'a module that the tree has in another place since': {
    change: (entries) => {
      const content = entries.get(`${TREE}/kernel/gpu/nouveau.ko`);
      without(/nouveau/, /modules\.dep/)(entries);
      if (content !== undefined) entries.set(`${TREE}/updates/nouveau.ko`, content);
      entries.set(
        `${TREE}/modules.dep`,
        text(
          'updates/nouveau.ko:\nkernel/virtio/virtio.ko:\nkernel/virtio/virtio_pci.ko: kernel/virtio/virtio.ko\nkernel/net/virtio_net.ko: kernel/virtio/virtio.ko\n',
        ),
      );
    },
    stale: [/updates\/nouveau\.ko the tree takes kernel\/gpu\/nouveau\.ko$/],
    good: true,
  },
  'a damaged module is as good as none': {
    change: (entries) => entries.set(`${TREE}/kernel/gpu/nouveau.ko`, text('\x7fELF no')),
    lost: [/^nouveau console nouveau is not in the image$/],
    stale: [/nouveau\.ko it is no module/],
    problems: [/nouveau\.ko: /],
    good: false,
  },
  'firmware of the tree that the image lacks is told': {
    change: without(/none\.bin/),
    firmware: ['virtio_net virtio/none.bin'],
    good: true,
  },
  'firmware that the machine had, and none of it is there': {
    devices: [PCI, { ...NET, module: 'virtio_net', firmware: ['virtio/none.bin'] }],
    change: without(/none\.bin/),
    lost: [/^virtio_net network virtio_net would find none of the firmware that the machine had: virtio\/none\.bin$/],
    good: false,
  },
  'a link to firmware that is not there is none': {
    devices: [PCI, { ...NET, module: 'virtio_net', firmware: ['virtio/none.bin'] }],
    change: (entries) => entries.set('/lib/firmware/virtio/none.bin', { kind: 'link', target: 'gone.bin' }),
    lost: [/none of the firmware/],
    good: false,
  },
  'a module for devices that no machine has': {
    devices: [PCI],
    change: (entries) => entries.set(`${TREE}/kernel/gpu/nouveau.ko`, text(moduleImage({ modinfo: [MAGIC] }))),
    unneeded: ['nouveau'],
    good: true,
  },
  'modules of another kernel only': {
    devices: [PCI],
    change: (entries) => {
      for (const [path, content] of Array.from(entries)) {
        entries.delete(path);
        entries.set(path.replace(KERNEL, '5.10.0'), content);
      }
    },
    lost: [/^virtio-pci network virtio_pci is not in the image$/],
    problems: [/^it has no modules for Linux 6\.1\.0-test; it has some for 5\.10\.0$/],
    good: false,
  },
  'no indexes at all': {
    devices: [PCI],
    change: without(/modules\./),
    problems: [/has no modules\.dep: modprobe would find nothing there$/],
    good: false,
  },
  'what the kernel asked for by itself': {
    devices: [{ recording: 1, asked: ['fs-loop'] }, PCI],
    files: { 'root/etc/modprobe.d/a.conf': 'alias fs-loop loop\n' },
    change: (entries) => {
      entries.set('/etc/modprobe.d/a.conf', text('alias fs-loop loop\n'));
      without(/loop\.ko/)(entries);
    },
    lost: [/^loop disk loop is not in the image$/],
    good: false,
  },
  'what the root file system needs': {
    devices: [
      {
        recording: 1,
        root: {
          wants: [
            { name: 'fs-loop', of: 'the file system of /' },
            { name: 'fs-button', of: 'the file system of /' },
            { name: 'md-none', of: 'md0' },
            { name: 'crypto-none', of: 'the cipher of dm-0', optional: true },
          ],
          disks: [],
        },
      },
      PCI,
    ],
    change: without(/loop\.ko/),
    need: ['disk'],
    lost: [
      /^loop disk the file system of \/ needs it: loop is not in the image$/,
      /^md-none disk md0 needs it: no module has that name or alias/,
    ],
    good: false,
  },
  'any module of a cipher will do': {
    devices: [
      {
        recording: 1,
        root: { wants: [{ name: 'crypto-aes', of: 'the cipher of dm-0', optional: true }], disks: [] },
      },
      PCI,
    ],
    files: { 'root/etc/modprobe.d/a.conf': 'alias crypto-aes loop\nalias crypto-aes nouveau\n' },
    change: (entries) => {
      entries.set('/etc/modprobe.d/a.conf', text('alias crypto-aes loop\nalias crypto-aes nouveau\n'));
      without(/loop\.ko/)(entries);
    },
    need: ['disk'],
    good: true,
  },
  'what the disk of the root file system hangs on is of its class': {
    devices: [{ recording: 1, root: { wants: [], disks: [`${GPU.devpath}/block/sda`] } }, GPU],
    change: without(/nouveau/),
    need: ['disk'],
    lost: [/^nouveau console,disk nouveau is not in the image$/],
    good: false,
  },
  'a driver that the tree has neither': {
    devices: [{ devpath: '/devices/x', subsystem: 'pci', modalias: 'pci:v1d1bc01sc06', driver: 'mystery_driver' }],
    lost: [/^mystery_driver disk this tree has no module mystery_driver/],
    good: false,
  },
  'without it another driver that matches must be there': {
    devices: [{ ...GPU, driver: 'nvidia_closed' }],
    change: without(/nouveau/),
    lost: [/^nvidia_closed console nouveau is not in the image$/],
    good: false,
  },
};

/** The check of an image that has just the closure's files, changed. */
async function checked(t: Test, { devices = [PCI, NET, GPU], files = {}, change, need }: Row) {
  const rig = diagnosticsRig(t);
  for (const [path, content] of Object.entries(files)) rig.put(path, content);
  rig.put('dell.jsonl', devices.map((device) => `${JSON.stringify(device)}\n`).join(''));
  const { machines, unusable } = readMachines(rig.host, [join(rig.base, 'dell.jsonl')]);
  const closure = closureOf({ host: rig.host, machines, live: false, names: [], allFirmware: false, missing: [] });
  const entries: Entries = new Map(
    (await closureEntries(rig.host, closure)).map(({ path, content }) => [path, content]),
  );
  // The made-up modules do not carry the aliases that the made-up tree lists for them.
  without(/modules\.alias\.bin/)(entries);
  entries.set(`${TREE}/modules.alias`, text(readFileSync(join(rig.tree, 'modules.alias'), 'latin1')));
  change?.(entries);
  const image = join(rig.base, 'image.cpio');
  writeArchive(
    image,
    [...entries].map(([path, content]) => ({ path, content })),
  );
  const needed = need ?? ['disk', 'network', 'console', 'keyboard'];
  const check = await checkImage({
    places: new DriverPlaces(rig.host),
    image,
    ...readImage('', image),
    machines,
    needed,
    missing: unusable,
  });
  return { rig, image, entries, check, machines };
}

for (const [rule, row] of Object.entries(ROWS)) {
  t.test(rule, async (t) => {
    const { check } = await checked(t, row);
    const lost = check.lost.map(({ driver, classes, because }) => `${driver} ${classes.toSorted().join()} ${because}`);
    const expected = row.lost ?? [];
    t.equal(lost.length, expected.length, lost.join('\n'));
    t.match(lost, expected);
    t.match(
      check.stale.map(({ path, because }) => `${path} ${because}`),
      row.stale ?? [],
    );
    t.equal(check.stale.length, row.stale?.length ?? 0);
    t.same(
      check.firmware.filter(({ recorded }) => !recorded).map(({ module, name }) => `${module} ${name}`),
      row.firmware ?? [],
    );
    t.match(check.problems, row.problems ?? []);
    t.equal(check.problems.length, row.problems?.length ?? 0);
    if (row.unneeded !== undefined)
      t.same(
        check.unneeded.map(({ module }) => module),
        row.unneeded,
      );
    t.equal(isGoodImage(check), row.good);
    fits(t, 'image-check', { schemaVersion: 1, ...(JSON.parse(JSON.stringify(check)) as ImageCheck) });
  });
}

t.test('a folder, a link to its tree, and a damaged archive', async (t) => {
  const { rig, image, entries, machines } = await checked(t, { good: true });
  const folder = join(rig.base, 'unpacked');
  copyEntries(
    folder,
    [...entries].map(([path, content]) => ({ path, content })),
  );
  const check = async (path: string) =>
    checkImage({
      places: new DriverPlaces(rig.host),
      image: path,
      ...readImage('', path),
      machines,
      needed: ['network'],
      missing: [],
    });
  t.ok(isGoodImage(await check(folder)));
  const bytes = readFileSync(image);
  writeFileSync(image, bytes.subarray(0, bytes.length - 4096));
  const cut = await check(image);
  t.match(cut.problems, [/ends too early; what comes behind it does not count$/]);
  t.notOk(isGoodImage(cut));
});

t.test('the command: statuses, text, and images that are none', async (t) => {
  const { rig, image } = await checked(t, { change: without(/nouveau/), good: false });
  const replay = ['--replay', join(rig.base, 'dell.jsonl')];
  const run = (...args: string[]) => rig.run('image', ...args);
  const lost = run('--check', image, ...replay);
  t.equal(lost.status, 1);
  t.match(lost.stdout, /lost {6}g of dell \(nouveau\): nouveau is not in the image \[console\]/);
  t.match(lost.stdout, /would lose\s+console \(1 device\)/);
  const enough = run('--check', image, ...replay, '--need', 'disk,network');
  t.equal(enough.status, 0);
  t.match(enough.stdout, /loses nothing\s+that it needs/);
  const json = run('--check', image, ...replay, '--json');
  t.equal(json.status, 1);
  fits(t, 'image-check', JSON.parse(json.stdout));
  rig.put('no.img', 'neither');
  t.match(run('--check', join(rig.base, 'no.img'), ...replay), {
    status: 1,
    stdout: /neither a cpio archive nor compressed/,
  });
  t.match(run('--check', join(rig.base, 'gone.img')), { stderr: /there is no such file/ });
  rig.put('empty.img', '');
  t.match(run('--check', join(rig.base, 'empty.img')), { stderr: /an empty file/ });
  t.match(run('--check', image, '--need', 'disks'), {
    status: 64,
    stderr: /there are disk, network, console, keyboard, other/,
  });
  t.match(run('--check', image, ...replay, '--replay', join(rig.base, 'none.jsonl'), '--need', 'disk'), {
    status: 1,
    stdout: /unusable .*none\.jsonl/,
  });
  t.equal(run().status, 64);
});

t.test('text: what decides first, counts of the rest', async (t) => {
  const { check } = await checked(t, { change: without(/nouveau/, /none\.bin/), need: ['network'], good: true });
  const terminal = { width: 200, colour: false };
  t.match(
    imageCheckText(check, terminal, false),
    /^.*image\.cpio: Linux 6\.1\.0-test, 3 modules; dell loses nothing.*\n1 device of other kinds without a driver, 1 firmware file of the tree/,
  );
  t.match(imageCheckText(check, terminal, true), /^lost .*\nfirmware {2}virtio\/none\.bin of virtio_net\n/);
});
