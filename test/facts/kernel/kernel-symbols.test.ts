import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { readKernelSymbols, type KernelSymbols } from '../../../agent/facts/kernel/kernel-symbols.ts';

const TREE = 'lib/modules/6.1.0';

function symbolsOf(t: Test, files: Readonly<Record<string, string | Buffer>>): KernelSymbols | undefined {
  const root = t.testdir({});
  for (const [name, content] of Object.entries({ [`${TREE}/modules.dep`]: '', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return readKernelSymbols(openHost({ root, kernel: '6.1.0' }));
}

const SYMVERS = [
  '0x00000010\tall\tvmlinux\tEXPORT_SYMBOL\t',
  '0x00000011\tgpl\tvmlinux\tEXPORT_SYMBOL_GPL\t',
  '0x00000012\tours\tvmlinux\tEXPORT_SYMBOL_GPL\tUSB_STORAGE',
  '0x00000013\tfuture\tvmlinux\tEXPORT_SYMBOL_GPL_FUTURE',
  '0x00000014\tearly\tNS\tvmlinux\tEXPORT_SYMBOL',
  '0x00000015\tothers\tdrivers/ata/libata\tEXPORT_SYMBOL_GPL\t',
  '',
].join('\n');
const MAP = [
  'ffffffff81000000 T _text',
  'ffffffff82000000 r __start___ksymtab',
  'ffffffff82000000 r __ksymtab_all',
  'ffffffff8200000c r __start___ksymtab_gpl',
  'ffffffff8200000c r __stop___ksymtab',
  'ffffffff8200000c r __ksymtab_gpl_first',
  'ffffffff82000018 r __ksymtab_gpl_last',
  'ffffffff82000024 r __stop___ksymtab_gpl',
  '',
].join('\n');

t.test('Module.symvers', (t) => {
  for (const [name, text] of Object.entries({
    [`${TREE}/build/Module.symvers`]: SYMVERS,
    [`${TREE}/symvers.gz`]: gzipSync(SYMVERS),
    'boot/symvers-6.1.0.gz': gzipSync(SYMVERS),
  })) {
    const symbols = symbolsOf(t, { [name]: text });
    t.match(symbols?.terms('all'), { gplOnly: false, namespace: '' }, name);
    t.match(symbols?.terms('gpl'), { gplOnly: true, namespace: '' });
    t.match(symbols?.terms('ours'), { gplOnly: true, namespace: 'USB_STORAGE' });
    t.match(symbols?.terms('future'), { gplOnly: false }, 'GPL-only at some later time');
    t.match(symbols?.terms('early'), { gplOnly: false, namespace: 'NS' }, 'the columns of Linux 5.4');
    t.equal(symbols?.terms('others'), undefined, "a module's");
    t.equal(symbols?.has('others'), false);
    t.equal(symbols?.crc('gpl'), 0x11);
  }
  t.end();
});

t.test('System.map', (t) => {
  for (const file of ['boot/System.map-6.1.0', `${TREE}/System.map`]) {
    const symbols = symbolsOf(t, { [file]: MAP });
    t.equal(symbols?.file.endsWith(file), true);
    t.same(symbols?.terms('all'), { gplOnly: false, namespace: undefined });
    t.same(symbols?.terms('gpl_first'), { gplOnly: true, namespace: undefined });
    t.same(symbols?.terms('gpl_last'), { gplOnly: true, namespace: undefined });
    t.equal(symbols?.terms('none'), undefined);
    t.equal(symbols?.has('all'), true);
    t.equal(symbols?.has('_text'), false, 'not exported');
    t.equal(symbols?.crc('all'), undefined);
  }
  const sorted = MAP.split('\n').filter((line) => !line.endsWith('_ksymtab_gpl'));
  t.equal(symbolsOf(t, { 'boot/System.map-6.1.0': sorted.join('\n') })?.terms('gpl_first'), undefined, 'Linux 7.1');
  const hidden = MAP.replaceAll(/^[0-9a-f]{16}/gm, '0'.repeat(16));
  t.equal(symbolsOf(t, { 'boot/System.map-6.1.0': hidden })?.terms('all'), undefined, 'addresses that are hidden');
  t.equal(
    symbolsOf(t, { 'boot/System.map-6.1.0': 'ffffffffffffffff B The real System.map is elsewhere\n' }),
    undefined,
  );
  t.equal(symbolsOf(t, {}), undefined);
  t.end();
});
