import t from 'tap';
import { counted, listed, placeText, quoted } from '../../agent/base/words.ts';

const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: string]> = [
  ['a place is file and line', placeText({ file: '/etc/modprobe.d/a.conf', line: 3 }), '/etc/modprobe.d/a.conf:3'],
  ['the kernel command line has one line only', placeText({ file: '/proc/cmdline', line: 1 }), '/proc/cmdline'],
  ['… wherever procfs is', placeText({ file: '/mnt/proc/cmdline', line: 1 }), '/mnt/proc/cmdline'],
  ['a file that is only called like it has lines', placeText({ file: '/etc/mycmdline', line: 2 }), '/etc/mycmdline:2'],
  ['line 0 is the whole file', placeText({ file: '/etc/a.conf', line: 0 }), '/etc/a.conf'],
  ['a name that is not ASCII is machine text', placeText({ file: '/é', line: 1 }), '/\xc3\xa9:1'],
  ['quotes', quoted("it's"), "'it's'"],
  ['none is plural', counted(0, 'device'), '0 devices'],
  ['one is singular', counted(1, 'device'), '1 device'],
  ['two are plural', counted(2, 'device'), '2 devices'],
  ['a plural of its own', counted(2, 'alias', 'aliases'), '2 aliases'],
  ['a plural of its own is not for one', counted(1, 'alias', 'aliases'), '1 alias'],
  ['a list of none', listed([]), ''],
  ['a list of one', listed(['a']), 'a'],
  ['a list of two', listed(['a', 'b']), 'a and b'],
  ['a list of three', listed(['a', 'b', 'c']), 'a, b and c'],
];
t.test('words', (t) => {
  for (const [rule, text, expected] of ROWS) t.equal(text, expected, rule);
  t.end();
});
