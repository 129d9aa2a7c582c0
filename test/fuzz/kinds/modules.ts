/** Module files: ELF of both classes and byte orders, .modinfo, symbols, versions, and the signature at the end. */
import { imageSource, parseElf } from '../../../agent/facts/modfiles/elf.ts';
import { ModuleFile } from '../../../agent/facts/modfiles/module-file.ts';
import { moduleParameters } from '../../../agent/facts/modfiles/module-info.ts';
import { readSignature } from '../../../agent/facts/modfiles/signature.ts';
import { elfImage, moduleImage, type ModuleImage } from '../../fixtures/elf-image.ts';
import type { Random } from '../../fixtures/random.ts';
import { check, type FuzzKind } from '../kind.ts';
import { signedData } from './der.ts';

const MARK = '~Module signature appended~\n';

/** What sign-file appends: the signature, what it is, the mark. */
function signed(image: Buffer, signature: Buffer, idType = 2): Buffer {
  const info = Buffer.from([0, 0, idType, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  info.writeUInt32BE(signature.length, 8);
  return Buffer.concat([image, signature, info, Buffer.from(MARK)]);
}

const MODULE: ModuleImage = {
  modinfo: ['license=GPL', 'alias=pci:v*', 'depends=a,b', 'parm=x:what it is', 'parmtype=x:int', 'vermagic=6.1.0 SMP '],
  exports: { one: 1, two: 0xffffffff },
  needs: { printk: 7, kmalloc: undefined },
  weak: ['maybe'],
};
const SAMPLES = [
  moduleImage(MODULE),
  moduleImage({ ...MODULE, bits: 32 }),
  moduleImage({ ...MODULE, littleEndian: false }),
  moduleImage({ ...MODULE, bits: 32, littleEndian: false }),
  signed(moduleImage(MODULE), signedData()),
  signed(moduleImage(MODULE), Buffer.from('SignerKeyId0123456789'), 1),
  elfImage({
    sections: {
      '.modinfo': 'license=GPL\0',
      '.note.gnu.build-id': Buffer.from('0400000004000000030000004744e550001122334', 'hex'),
      __ksymtab: Buffer.alloc(32, 1),
      __ksymtab_strings: 'one\0two\0',
      __kcrctab: Buffer.alloc(8, 2),
      __version_ext_names: 'printk\0kmalloc\0',
      __version_ext_crcs: Buffer.alloc(8, 3),
    },
    symbols: [
      { name: '__ksymtab_one', section: '__ksymtab' },
      { name: '__crc_one', section: '__kcrctab' },
    ],
  }),
];
const WORDS = [
  MARK,
  '\x7fELF',
  '.modinfo\0',
  '__versions\0',
  '.symtab\0',
  '.strtab\0',
  '__crc_',
  '__ksymtab_',
  'parm=',
  'parmtype=',
  'depends=',
];

function compose(random: Random): Buffer {
  const names = Array.from({ length: random.below(20) }, () => random.text('ab_.', 0, 70));
  const image = moduleImage({
    bits: random.of([32, 64]),
    littleEndian: random.below(2) === 0,
    modinfo: names.map(
      (name) => `${random.of(['alias', 'parm', 'parmtype', 'depends', name])}=${random.text('ab:,*\xff', 0, 30)}`,
    ),
    exports: Object.fromEntries(names.map((name) => [name, random.below(2 ** 31)])),
    needs: Object.fromEntries(
      names.map((name) => [`n${name.slice(0, 50)}`, random.below(2) === 0 ? undefined : random.below(99)]),
    ),
  });
  return random.below(2) === 0 ? image : signed(image, signedData(random), random.below(4));
}

function read(input: Buffer): void {
  const source = imageSource(input);
  const elf = parseElf(source);
  if (elf.kind === 'not-elf') {
    check(elf.errno > 0 && elf.why !== '', 'what is not ELF says why');
    return;
  }
  const file = new ModuleFile({ path: 'fuzz.ko', compression: undefined, elf, source });
  moduleParameters(file.modinfo);
  check(file.vermagic === undefined || file.vermagic.length < input.length, 'vermagic is part of the file');
  file.exports();
  file.needs();
  file.versions();
  file.buildId();
  let names = 0;
  const count = (table: Uint8Array, start: number) => {
    check(start >= 0 && start < table.length, 'a name begins inside its table');
    names++;
  };
  file.visitSymbols({ exported: count, needed: count });
  check(names <= input.length, 'no more symbols than bytes');
  const signature = readSignature(file);
  if (signature?.kind === 'signature') check(signature.length <= input.length, 'a signature is part of the file');
  check(file.exportTerms().size <= input.length, 'no more terms than bytes');
}

export const kind: FuzzKind = { samples: SAMPLES, words: WORDS, compose, read };
