import t from 'tap';
import { writableMounts } from '../../../../agent/dkms/build/sandbox/mount-table.ts';

const line = (target: string, options: string, type = 'ext4') =>
  `26 1 254:0 / ${target} ${options} shared:1 - ${type} /dev/vda rw,discard`;

t.test('the mounts that a build could write to', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, lines: readonly string[], found: Readonly<Record<string, string>>]
  > = [
    ['the root', [line('/', 'rw,relatime')], { '/': 'relatime' }],
    ['one that is read-only already', [line('/usr', 'ro,relatime')], {}],
    ['options stay', [line('/home', 'rw,nosuid,nodev')], { '/home': 'nosuid,nodev' }],
    ['no options', [line('/home', 'rw')], { '/home': '' }],
    ['blanks and backslashes in names', [line(String.raw`/a\040b\134c`, 'rw')], { [String.raw`/a b\c`]: '' }],
    ['the one on top counts', [line('/a', 'rw,nodev'), line('/a', 'rw,nosuid')], { '/a': 'nosuid' }],
    ['also when it is read-only', [line('/a', 'rw'), line('/a', 'ro')], {}],
    [
      "the kernel's own",
      [line('/proc', 'rw', 'proc'), line('/sys/fs/cgroup', 'rw', 'cgroup2'), line('/m', 'rw', 'autofs')],
      {},
    ],
    ['sysfs, which root may write to', [line('/sys', 'rw', 'sysfs')], { '/sys': '' }],
    ['what hides files of /proc', [line('/proc/kcore', 'rw', 'tmpfs')], {}],
    ['what stays writable', [line('/tmp', 'rw'), line('/tmp/a', 'rw'), line('/tmpx', 'rw')], { '/tmpx': '' }],
    ['no mount', ['', 'x'], {}],
  ];
  for (const [rule, lines, found] of rows) {
    const mounts = writableMounts(`${lines.join('\n')}\n`, ['/tmp']);
    t.same(Object.fromEntries(mounts.map(({ target, options }) => [target, options])), found, rule);
  }
});
