/** What depmod makes of hostile or odd trees, in this process. kmod's depmod is compared with in test/oracle/depmod.test.ts. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { indexFiles, readTree, textFiles } from '../../agent/depmod/index-build.ts';
import { makeModuleDirectory, type Files } from '../fixtures/made-tree.ts';

interface Built {
  readonly moduleDir: string;
  /** A file of the tree: text, or the bytes of an index as latin1. */
  readonly file: (name: string) => string;
  /** `error: text`, with the module directory as `DIR`. */
  readonly said: readonly string[];
}

async function build(t: Test, files: Files): Promise<Built> {
  const moduleDir = join(t.testdir({}), '1.0');
  makeModuleDirectory(moduleDir, {
    'modules.order': '',
    'modules.builtin': '',
    'modules.builtin.modinfo': '',
    ...files,
  });
  const said: string[] = [];
  const say = (level: string, text: string) => said.push(`${level}: ${text.replaceAll(moduleDir, 'DIR')}`);
  const reading = await readTree({ root: '', moduleDir, kernel: '1.0', configPaths: [], say });
  if (reading.kind !== 'read') throw new Error(reading.kind);
  const texts = new Map<string, string>(textFiles(reading.tree, () => undefined));
  const written = indexFiles({ root: '', moduleDir }, reading.tree, { layout: 'children-first', say });
  for (const [name, bytes] of written) texts.set(name, bytes.toString('latin1'));
  return { moduleDir, file: (name) => texts.get(name) ?? '', said };
}

interface Row {
  readonly files: Files;
  /** Lines that a file has beside its header. */
  readonly lines: Readonly<Record<string, readonly string[]>>;
  readonly said: readonly string[];
  /** Text that no file may hold. */
  readonly nowhere?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  'an alias adds no line': {
    files: { 'a.ko': { modinfo: ['alias=x\nalias evil y', 'alias=good'] } },
    lines: { 'modules.alias': ['alias good a'] },
    said: ['error: DIR/a.ko: alias with a line break, which is left out: x\\nalias evil y'],
    nowhere: 'evil',
  },
  'a softdep adds no line, and swallows none': {
    files: { 'a.ko': { modinfo: ['softdep=pre: x\ninstall evil sh', 'softdep=pre: b \\', 'softdep=pre: c'] } },
    lines: { 'modules.softdep': ['softdep a pre: c'] },
    said: [
      'error: DIR/a.ko: softdep with a line break, which is left out: pre: x\\ninstall evil sh',
      'error: DIR/a.ko: softdep with a backslash at its end, which is left out: pre: b \\',
    ],
    nowhere: 'evil',
  },
  'a weakdep adds no line': {
    files: { 'a.ko': { modinfo: ['weakdep=x\nevil', 'weakdep=y'] } },
    lines: { 'modules.weakdep': ['weakdep a y'] },
    said: ['error: DIR/a.ko: weakdep with a line break, which is left out: x\\nevil'],
    nowhere: 'evil',
  },
  'a symbol adds no line': {
    files: { 'a.ko': { exports: { 'x\nalias evil y': 1, good: 2 } } },
    lines: { 'modules.symbols': ['alias symbol:good a'] },
    said: ['error: DIR/a.ko: symbol with a line break, which is left out: x\\nalias evil y'],
    nowhere: 'evil',
  },
  'a file name adds no line': {
    files: { 'a\nevil.ko': {}, 'b.ko': {}, 'sub\nevil/c.ko': {} },
    lines: { 'modules.dep': ['b.ko:'] },
    said: [
      'error: left out, since its path has a line break: DIR/a\\nevil.ko',
      'error: left out, since its path has a line break: DIR/sub\\nevil/c.ko',
    ],
    nowhere: 'evil',
  },
  'a colon would end the path in modules.dep': {
    files: { 'a:b.ko': {}, 'c.ko': {} },
    lines: { 'modules.dep': ['c.ko:'] },
    said: ['error: left out, since its path has a colon: DIR/a:b.ko'],
  },
  'a path with a blank names no other file as a dependency': {
    files: { 'a /tmp/evil.ko': { exports: { x: 1 } }, 'user.ko': { needs: { x: 1 } } },
    lines: { 'modules.dep': ['a /tmp/evil.ko:', 'user.ko:'] },
    said: ['error: DIR/user.ko needs "x" of DIR/a /tmp/evil.ko, which modprobe cannot find: its path has a blank'],
  },
  'a device name is one word': {
    files: { 'a.ko': { modinfo: ['alias=devname:x c1:3 /', 'alias=char-major-10-237'] } },
    lines: { 'modules.devname': [] },
    said: ["error: Module 'a' has devname (x c1:3 /) with a blank. Ignoring."],
  },
  'a string of modules.builtin.modinfo adds no line': {
    files: { 'modules.builtin.modinfo': 'a.alias=x\nalias evil y\0b.alias=good\0' },
    lines: {},
    said: ['warning: a.alias=x\\nalias evil y: it has a line break'],
    nowhere: 'evil',
  },
  'NULs in the files of the build lead to nothing': {
    files: { 'a.ko': {}, 'modules.order': 'a\0.ko\na.ko\n', 'modules.builtin': 'kernel/b\0c.ko\nkernel/d.ko\n' },
    lines: { 'modules.dep': ['a.ko:'] },
    said: ['warning: b\0c: it is not 7-bit text of at most 4,095 bytes'],
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, async (t) => {
    const { file, said } = await build(t, row.files);
    for (const [index, lines] of Object.entries(row.lines)) {
      const found = file(index)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      t.same(found, lines, index);
    }
    t.same(said, row.said);
    if (row.nowhere === undefined) return;
    for (const index of ['modules.dep', 'modules.alias', 'modules.softdep', 'modules.weakdep', 'modules.symbols'])
      t.notMatch(file(index), row.nowhere, index);
    for (const index of ['modules.dep.bin', 'modules.alias.bin', 'modules.symbols.bin', 'modules.builtin.alias.bin'])
      t.notMatch(file(index), row.nowhere, index);
  });
}
