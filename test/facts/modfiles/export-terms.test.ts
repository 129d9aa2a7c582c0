import t from 'tap';
import { imageSource, parseElf } from '../../../agent/facts/modfiles/elf.ts';
import { readExportTerms } from '../../../agent/facts/modfiles/export-terms.ts';
import { elfImage } from '../../fixtures/elf-image.ts';
import { exportingModule, type ExportLayout } from './exporting-module.ts';

function terms(image: Buffer): Readonly<Record<string, string>> {
  const source = imageSource(image);
  const elf = parseElf(source);
  if (elf.kind === 'not-elf') throw new Error(elf.why);
  return Object.fromEntries(
    [...readExportTerms(source, elf)].map(([name, { gplOnly, namespace }]) => [
      name,
      `${gplOnly === true ? 'gpl' : 'all'}:${namespace ?? '?'}`,
    ]),
  );
}

const LAYOUTS: Readonly<Record<string, ExportLayout>> = {
  'x86-64, arm64': { bits: 64, littleEndian: true, addends: true, field: 4 },
  s390x: { bits: 64, littleEndian: false, addends: true, field: 4 },
  '64 bit with pointers': { bits: 64, littleEndian: true, addends: true, field: 8 },
  '64 bit with pointers, big-endian': { bits: 64, littleEndian: false, addends: true, field: 8 },
  '64 bit without addends': { bits: 64, littleEndian: true, addends: false, field: 8 },
  '64 bit without addends, big-endian': { bits: 64, littleEndian: false, addends: false, field: 8 },
  'arm, i386': { bits: 32, littleEndian: true, addends: false, field: 4 },
  'powerpc 32': { bits: 32, littleEndian: false, addends: true, field: 4 },
};
const usual = LAYOUTS['x86-64, arm64'] as ExportLayout;

for (const [name, layout] of Object.entries(LAYOUTS)) {
  t.test(name, (t) => {
    const image = exportingModule(
      {
        __ksymtab: [
          { name: 'open', namespace: '' },
          { name: 'ours', namespace: 'USB_STORAGE' },
        ],
        __ksymtab_gpl: [
          { name: 'free', namespace: undefined },
          { name: 'both', namespace: 'module:a,b*' },
        ],
      },
      layout,
    );
    t.same(terms(image), { open: 'all:', ours: 'all:USB_STORAGE', free: 'gpl:', both: 'gpl:module:a,b*' });
    t.end();
  });
}

t.test('flags of Linux 7.1', (t) => {
  const table = ['a', 'b', 'c'].map((name) => ({ name, namespace: '' }));
  const image = exportingModule({ __ksymtab: table }, usual, { __kflagstab: Buffer.from([1, 0, 3]) });
  t.same(terms(image), { a: 'gpl:', b: 'all:', c: 'gpl:' });
  t.end();
});

t.test('tables of older kernels', (t) => {
  const image = exportingModule({ __ksymtab_unused_gpl: [{ name: 'a', namespace: '' }] }, usual);
  t.same(terms(image), { a: 'gpl:' });
  t.end();
});

t.test('what cannot be understood tells nothing', (t) => {
  const table = [{ name: 'a', namespace: 'N' }];
  const good = exportingModule({ __ksymtab: table }, usual);
  t.same(terms(good), { a: 'all:N' });
  const rows: Readonly<Record<string, Readonly<Record<string, Buffer>>>> = {
    'no relocations': { '.rela__ksymtab': Buffer.alloc(0) },
    'relocations of symbols that are not there': { '.rela__ksymtab': Buffer.alloc(72, 0x7f) },
    'a table of another size': { __ksymtab: Buffer.alloc(13) },
    'no table': { __ksymtab: Buffer.alloc(0) },
  };
  for (const [name, sections] of Object.entries(rows))
    t.same(terms(exportingModule({ __ksymtab: table }, usual, sections)), {}, name);
  t.same(terms(elfImage({ sections: { __ksymtab: Buffer.alloc(12) } })), {}, 'no strings');
  t.end();
});
