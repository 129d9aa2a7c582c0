import t from 'tap';
import { COMPRESSION_SUFFIXES, compressionOf, compressionRow } from '../../../agent/facts/modfiles/compression.ts';
import { isModuleFileName, withoutCompression } from '../../../agent/facts/modfiles/module-file-name.ts';

const names: Record<string, boolean> = {
  'crc16.ko': true,
  'kernel/lib/crc16.ko.xz': true,
  'a.ko.zst': true,
  'a.ko.gz': true,
  'a.ko.bz2': false,
  'a.ko.xz.old': false,
  'a.kox': false,
  '.ko': false,
  'a.o': false,
  'a\nb.ko': true,
};
for (const [name, expected] of Object.entries(names)) {
  t.test(`${JSON.stringify(name)} is ${expected ? 'a' : 'no'} module file`, (t) => {
    t.equal(isModuleFileName(name), expected);
    t.end();
  });
}

t.test('a path without the suffix of its compression', (t) => {
  t.equal(withoutCompression('kernel/lib/crc16.ko.xz'), 'kernel/lib/crc16.ko');
  t.equal(withoutCompression('kernel/lib/crc16.ko'), 'kernel/lib/crc16.ko');
  t.end();
});

t.test('every compression has a suffix of its own and is found by its magic', (t) => {
  t.equal(new Set(COMPRESSION_SUFFIXES).size, COMPRESSION_SUFFIXES.length);
  for (const name of ['xz', 'zstd', 'gzip'] as const) {
    const row = compressionRow(name);
    t.equal(row.name, name);
    t.equal(compressionOf(Uint8Array.from(row.magic)), name);
    t.equal(compressionOf(Uint8Array.from(row.magic.slice(0, -1))), undefined);
  }
  t.end();
});
