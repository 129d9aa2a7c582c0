import t from 'tap';
import { parseMounts } from '../../../agent/facts/kernel/mount-info.ts';

const ROWS: ReadonlyArray<readonly [rule: string, text: string, mounts: readonly unknown[]]> = [
  ['nothing', '', []],
  [
    'optional fields before the dash',
    '36 35 8:1 / /data rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=continue\n',
    [['8:1', '/data', ['rw', 'noatime'], 'ext4', '/dev/sda1', 'rw,errors=continue']],
  ],
  ['without optional fields', '1 0 0:5 / / ro - tmpfs none rw\n', [['0:5', '/', ['ro'], 'tmpfs', 'none', 'rw']]],
  [
    'blanks and backslashes in octal',
    String.raw`1 0 0:5 / /my\040di\134sk rw - fuse a\040b rw`,
    [['0:5', String.raw`/my di\sk`, ['rw'], 'fuse', 'a b', 'rw']],
  ],
  ['a line of another form', '1 0 0:5\n1 0 0:5 / /x rw - a b c\n', [['0:5', '/x', ['rw'], 'a', 'b', 'c']]],
];
for (const [rule, text, mounts] of ROWS) {
  t.test(rule, (t) => {
    t.same(
      parseMounts(text).map((each) => Object.values(each)),
      mounts,
    );
    t.end();
  });
}
