import t from 'tap';
import { keptRoot, parseRoot } from '../../../agent/facts/devices/recorded-root.ts';
import { headerLine, NO_HEADER, parseHeader } from '../../../agent/facts/devices/recording-header.ts';

const DISK = '/devices/pci0/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda';
const ROOT = {
  wants: [
    { name: 'fs-ext4', of: 'the file system of /' },
    { name: 'aesni_intel', of: 'the cipher of dm-0', optional: true as const },
  ],
  disks: [DISK],
};

/** What is known, or what stands in the file; what is kept of it. */
const rows: Readonly<Record<string, readonly [value: unknown, kept: unknown]>> = {
  'a way comes out as it went in': [ROOT, ROOT],
  'names that people gave are left out': [
    {
      wants: [
        { name: 'fs-ext4', of: 'the file system of /home/alice' },
        { name: 'md-raid1', of: 'md_alice' },
        { name: 'fs-xfs', of: 'the file system of /usr' },
        { name: 'dm_mod', of: 'md127' },
        { name: 'fs-a/b', of: 'sda' },
      ],
      disks: [],
    },
    {
      wants: [
        { name: 'fs-ext4', of: 'the root file system' },
        { name: 'md-raid1', of: 'the root file system' },
        { name: 'fs-xfs', of: 'the file system of /usr' },
        { name: 'dm_mod', of: 'md127' },
      ],
      disks: [],
    },
  ],
  'what is no way is none': [{ wants: [{ of: 'sda' }, 7], disks: ['sda', 7] }, undefined],
  'neither is a text': ['fs-ext4', undefined],
  'nor null': [null, undefined],
  'a part is enough': [{ disks: [DISK] }, { wants: [], disks: [DISK] }],
  'more than any machine has is cut': [
    { wants: Array.from({ length: 300 }, (_, index) => ({ name: `fs-${index}`, of: '' })) },
    {
      wants: Array.from({ length: 256 }, (_, index) => ({ name: `fs-${index}`, of: 'the root file system' })),
      disks: [],
    },
  ],
};
for (const [rule, [value, kept]] of Object.entries(rows)) {
  t.test(rule, (t) => {
    t.same(
      parseRoot(value, (text) => text),
      kept,
    );
    t.same((parseHeader({ recording: 1, root: value }) as { root?: unknown }).root, kept, 'in a header');
    t.end();
  });
}

t.test('a header with a way is read again; nothing is kept of a machine that shows none', (t) => {
  const line: unknown = JSON.parse(headerLine({ ...NO_HEADER, root: keptRoot({ ...ROOT }) }));
  t.same((parseHeader(line as Record<string, unknown>) as { root?: unknown }).root, ROOT);
  t.equal(keptRoot({ wants: [], disks: [] }), undefined);
  t.end();
});
