import t from 'tap';
import type { BootListEntry } from '../../../agent/rules/boot/boot-entry.ts';
import { readModulesLoadOptions } from '../../../agent/rules/boot/modules-load-options.ts';

/** `LINE:NAME`, with `(PARAMETERS)` and `initramfs` where they are. */
const shown = (entries: readonly BootListEntry[]) =>
  entries.map(
    ({ place, name, parameters, initramfsOnly }) =>
      `${place.line}:${name}${parameters === '' ? '' : `(${parameters})`}${initramfsOnly ? ' initramfs' : ''}`,
  );

const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: readonly string[]]> = [
  ['modules_load= holds names between commas', 'modules_load=brd,nbd', ['1:brd', '1:nbd']],
  ['empty names are none', 'modules_load=,brd,, quiet modules_load=', ['1:brd']],
  ['lists add up', 'modules_load=a x modules_load=b', ['1:a', '1:b']],
  ["'-' is '_' in the option, not in names", 'modules-load=snd-pcm', ['1:snd-pcm']],
  ['quotes hold the value or the word', 'modules_load="a,b" "modules_load=c"', ['1:a', '1:b', '1:c']],
  ['rd. counts in the initramfs', 'rd.modules_load=a rd.modules-load=b', ['1:a initramfs', '1:b initramfs']],
  ['without a value it is nothing', 'modules_load xmodules_load=a modules_loads=b', []],
  ['inside another value it is nothing', 'x="modules_load=a b"', []],
];

for (const [rule, text, expected] of ROWS) {
  t.test(rule, (t) => {
    t.same(shown(readModulesLoadOptions({ file: '/proc/cmdline', text })), expected);
    t.end();
  });
}
