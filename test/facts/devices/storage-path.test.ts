import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { storagePath } from '../../../agent/facts/devices/storage-path.ts';

const DISK = '/devices/pci0/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda';
const DM = '/devices/virtual/block';

/** A machine's sysfs and proc: files below `sys`, links (path → target, from `sys`), and the mount table. */
interface Row {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly mounts?: readonly string[];
  readonly proc?: Readonly<Record<string, string>>;
  /** One, or several parted by ` and `. */
  readonly path: string;
  /** `NAME of WHAT`. */
  readonly wants: readonly string[];
  readonly disks?: readonly string[];
  readonly untold?: readonly RegExp[];
}

const SDA1 = { [`${DISK}/sda1/partition`]: '1', [`${DISK}/dev`]: '8:0' };
const NUMBERS = { 'dev/block/8:1': `${DISK}/sda1`, 'class/block/sda1': `${DISK}/sda1` };

const ROWS: Readonly<Record<string, Row>> = {
  'a partition': {
    files: SDA1,
    links: NUMBERS,
    mounts: ['22 1 8:1 / / rw - ext4 /dev/sda1 rw'],
    path: '/usr/lib',
    wants: ['fs-ext4 of the file system of /'],
    disks: [DISK],
  },
  'the longest place counts, and of one place the last': {
    files: SDA1,
    links: NUMBERS,
    mounts: [
      '1 0 0:2 / / rw - rootfs none rw',
      '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
      '23 1 8:1 / /boot\\040x rw - vfat /dev/sda1 rw,codepage=437,iocharset=ascii',
    ],
    path: '/boot x/efi',
    wants: [
      'fs-vfat of the file system of /boot x',
      'nls_cp437 of the file system of /boot x',
      'nls_ascii of the file system of /boot x',
    ],
    disks: [DISK],
  },
  'LVM on LUKS on RAID on two partitions': {
    files: {
      ...SDA1,
      [`${DM}/dm-1/dm/uuid`]: 'LVM-abc',
      [`${DM}/dm-0/dm/uuid`]: 'CRYPT-LUKS2-abc',
      [`${DM}/md0/md/level`]: 'raid1',
      [`${DISK}b/sdb1/partition`]: '1',
    },
    links: {
      ...NUMBERS,
      'dev/block/253:1': `${DM}/dm-1`,
      'class/block/dm-0': `${DM}/dm-0`,
      'class/block/md0': `${DM}/md0`,
      'class/block/sdb1': `${DISK}b/sdb1`,
      [`${DM}/dm-1/slaves/dm-0`]: `${DM}/dm-0`,
      [`${DM}/dm-0/slaves/md0`]: `${DM}/md0`,
      [`${DM}/md0/slaves/sda1`]: `${DISK}/sda1`,
      [`${DM}/md0/slaves/sdb1`]: `${DISK}b/sdb1`,
    },
    mounts: ['22 1 253:1 / / rw - xfs /dev/mapper/vg-root rw'],
    proc: {
      modules: 'dm_mod 1 0 - Live 0x0\ndm_thin_pool 1 0 - Live 0x0\nloop 1 0 - Live 0x0\n',
      crypto:
        'name         : xts(aes)\nmodule       : aesni_intel\nrefcnt       : 3\n\nname         : md5\nmodule       : kernel\nrefcnt       : 4\n\nname         : idle\nmodule       : sha512\nrefcnt       : 1\n',
    },
    path: '/',
    wants: [
      'fs-xfs of the file system of /',
      'dm_mod of dm-1',
      'dm_thin_pool of dm-1',
      'dm_crypt of dm-0',
      'aesni_intel of the cipher of dm-0, optional',
      'crypto-xts of the cipher of dm-0, optional',
      'crypto-aes of the cipher of dm-0, optional',
      'md_mod of md0',
      'md-raid1 of md0',
    ],
    disks: [DISK, `${DISK}b`],
  },
  'btrfs on two disks': {
    files: SDA1,
    links: {
      ...NUMBERS,
      'class/block/sdb': `${DISK}b`,
      'fs/btrfs/id/devices/sda1': `${DISK}/sda1`,
      'fs/btrfs/id/devices/sdb': `${DISK}b`,
    },
    mounts: ['22 1 0:25 / / rw - btrfs /dev/sda1 rw'],
    path: '/',
    wants: ['fs-btrfs of the file system of /'],
    disks: [DISK, `${DISK}b`],
  },
  'an NVMe disk with several controllers': {
    files: { '/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/dev': '259:0', '/devices/pci0/n/nvme/nvme0/x': '' },
    links: {
      'class/block/nvme0n1': '/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1',
      '/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0': '/devices/pci0/n/nvme/nvme0',
    },
    path: '/dev/nvme0n1',
    wants: [],
    disks: ['/devices/pci0/n/nvme/nvme0'],
  },
  'a loop device, and the file system of its file': {
    files: { ...SDA1, [`${DM}/loop0/loop/backing_file`]: '/images/root.img' },
    links: { ...NUMBERS, 'class/block/loop0': `${DM}/loop0` },
    mounts: ['22 1 8:1 / / rw - ext4 /dev/sda1 rw'],
    path: '/dev/loop0',
    wants: ['loop of loop0', 'fs-ext4 of the file system of /'],
    disks: [DISK],
  },
  'two file systems of one disk': {
    files: SDA1,
    links: NUMBERS,
    mounts: ['22 1 8:1 / / rw - ext4 /dev/sda1 rw', '23 1 8:1 / /usr rw - xfs /dev/sda1 rw'],
    path: '/ and /usr',
    wants: ['fs-ext4 of the file system of /', 'fs-xfs of the file system of /usr'],
    disks: [DISK],
  },
  'no block device': {
    mounts: ['22 1 0:30 / /run rw - tmpfs tmpfs rw'],
    path: '/run',
    wants: ['fs-tmpfs of the file system of /run'],
    untold: [/^tmpfs of \/run is on no block device/],
  },
  'no mount table': { path: '/', wants: [], untold: [/mountinfo has no file system for \/$/] },
  'a device that is not there': { path: '/dev/sdz', wants: [], untold: [/^\/dev\/sdz is on no block device/] },
  'devices that lie on each other in a circle': {
    links: {
      'class/block/dm-0': `${DM}/dm-0`,
      [`${DM}/dm-0/slaves/dm-0`]: `${DM}/dm-0`,
    },
    files: { [`${DM}/dm-0/dev`]: '' },
    path: '/dev/dm-0',
    wants: [],
  },
};

function plant(t: Test, { files = {}, links = {}, mounts = [], proc = {} }: Row) {
  const base = t.testdir();
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };
  if (mounts.length > 0) put('proc/self/mountinfo', mounts.map((line) => `${line}\n`).join(''));
  for (const [name, text] of Object.entries(proc)) put(`proc/${name}`, text);
  for (const [path, text] of Object.entries(files)) put(`sys/${path}`, text);
  for (const [path, target] of Object.entries(links)) {
    const link = join(base, 'sys', path);
    mkdirSync(dirname(link), { recursive: true });
    mkdirSync(join(base, 'sys', target), { recursive: true });
    symlinkSync(join(base, 'sys', target), link);
  }
  mkdirSync(join(base, 'sys'), { recursive: true });
  return { sysfs: join(base, 'sys'), proc: join(base, 'proc') };
}

for (const [rule, row] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const { wants, disks, untold } = storagePath(plant(t, row), ...row.path.split(' and '));
    t.same(
      wants.map(({ name, of, optional }) => `${name} of ${of}${optional === true ? ', optional' : ''}`),
      row.wants,
    );
    t.same(disks, row.disks ?? []);
    t.match(untold, row.untold ?? []);
    t.equal(untold.length, row.untold?.length ?? 0, untold.join());
    t.end();
  });
}
