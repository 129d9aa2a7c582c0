import t from 'tap';
import { parseSymvers, parseSystemMap } from '../../agent/depmod/kernel-build-symbols.ts';

const MAGIC = ['__this_module=0', '_GLOBAL_OFFSET_TABLE_=0', 'TOC.=0'];

const SYMVERS: ReadonlyArray<readonly [rule: string, line: string, symbols: readonly string[], said?: string]> = [
  ["the kernel's own", '0x00000010\ta\tvmlinux\tEXPORT_SYMBOL\n', ['a=16']],
  ["a module's", '0x11\ta\tdrivers/x\tEXPORT_SYMBOL\n', []],
  ['no place', '0x5\ta\n', []],
  ['three columns name no place: the newline is part of the third', '0x5\ta\tvmlinux\n', []],
  ['three columns and the end of the file', '0x5\ta\tvmlinux', ['a=5']],
  ['without 0x it is hexadecimal, too', 'ff a vmlinux E\n', ['a=255']],
  ['no number', 'zz a vmlinux E\n', [], 'error: F:1 Invalid symbol version zz: Success'],
  ['an empty line', '\n', []],
];

t.test('Module.symvers', (t) => {
  for (const [rule, line, symbols, message] of SYMVERS) {
    const said: string[] = [];
    const found = parseSymvers(line, 'F', undefined, (level, text) => said.push(`${level}: ${text}`));
    t.same(
      found.map(({ name, crc }) => `${name}=${crc}`),
      [...symbols, ...MAGIC],
      rule,
    );
    t.same(said, message === undefined ? [] : [message], rule);
  }
  t.equal(parseSymvers('1 _a vmlinux E\n', 'F', '_', () => undefined)[0]?.name, 'a', 'the prefix (-P) is cut off');
  t.end();
});

const SYSTEM_MAP: ReadonlyArray<readonly [rule: string, line: string, symbols: readonly string[], said?: string]> = [
  ['an export', 'c0294200 R __ksymtab_a\n', ['a=0']],
  ['any other symbol', 'c0294200 T printk\n', []],
  ['no newline at the end', 'c0294200 R __ksymtab_a', ['a=0']],
  ['a line of one word', 'broken\n', [], 'error: F:1: invalid line: broken\n'],
];

t.test('System.map', (t) => {
  for (const [rule, line, symbols, message] of SYSTEM_MAP) {
    const said: string[] = [];
    const found = parseSystemMap(line, 'F', undefined, (level, text) => said.push(`${level}: ${text}`));
    t.same(
      found.map(({ name, crc }) => `${name}=${crc}`),
      [...symbols, ...MAGIC],
      rule,
    );
    t.same(said, message === undefined ? [] : [message], rule);
  }
  t.equal(parseSystemMap('0 R ___ksymtab_a\n', 'F', '_', () => undefined)[0]?.name, 'a', 'the prefix (-P) is cut off');
  t.end();
});
