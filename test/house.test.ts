import { join } from 'node:path';
import t from 'tap';
import {
  fileViolations,
  FOLDERS,
  importsOf,
  importViolations,
  mirrorViolations,
  readSources,
  type Import,
  type Source,
} from './house.ts';

const root = join(import.meta.dirname, '../..');
const code = (file: string, target: string, types = false): Import => ({ file, target, types });

const sources = readSources(root, FOLDERS);

t.test('layers, doors, purity and cycles hold in the whole house', (t) => {
  const imports = importsOf(sources);
  t.ok(imports.length > 50, `${imports.length} imports were read`);
  t.same(importViolations(imports), []);
  t.end();
});

const forbidden: Record<string, readonly [Import[], RegExp]> = {
  'an earlier layer imports a later one': [[code('base/a.ts', 'facts/b.ts')], /later layer/],
  'a type import counts too': [[code('match/a.ts', 'rules/b.ts', true)], /later layer/],
  'two rooms of one layer': [[code('depmod/a.ts', 'trust/b.ts')], /beside it/],
  'a package outside its door': [
    [code('facts/other.ts', 'netlink/dist/raw.js')],
    /whose door is facts\/uevents\/uevent-socket.ts/,
  ],
  'a package without a door': [[code('report/a.ts', 'left-pad')], /not built/],
  'I/O in a pure room': [[code('plan/a.ts', 'node:fs')], /pure/],
  'values of facts in a pure room': [[code('rules/a.ts', 'facts/b.ts')], /more than types/],
  'a room nobody planned': [[code('utils/a.ts', 'base/b.ts')], /no room/],
  'a cycle': [
    [code('base/a.ts', 'base/b.ts'), code('base/b.ts', 'base/a.ts')],
    /cycle: base\/a.ts → base\/b.ts → base\/a.ts/,
  ],
  'a cycle of types': [
    [
      code('daemon/a.ts', 'daemon/b.ts'),
      code('daemon/b.ts', 'daemon/c.ts', true),
      code('daemon/c.ts', 'daemon/a.ts', true),
    ],
    /cycle: daemon\/a.ts → daemon\/b.ts → daemon\/c.ts → daemon\/a.ts/,
  ],
};
for (const [name, [imports, expected]] of Object.entries(forbidden)) {
  t.test(`found: ${name}`, (t) => {
    t.match(importViolations(imports).join('\n'), expected);
    t.end();
  });
}

t.test('every form of import is read', (t) => {
  const text = [
    "import { b } from './b.ts';",
    "import type { C } from '../rules/c.ts';",
    "import {\n  d,\n} from 'node:fs';",
    "export { e } from './e.ts';",
    "import './f.ts';",
    "const g = await import('./g.ts');",
    "// import { h } from './h.ts';",
  ].join('\n');
  t.same(importsOf([{ path: 'agent/plan/a.ts', text }]), [
    code('plan/a.ts', 'plan/b.ts'),
    code('plan/a.ts', 'rules/c.ts', true),
    code('plan/a.ts', 'node:fs'),
    code('plan/a.ts', 'plan/e.ts'),
    code('plan/a.ts', 'plan/f.ts'),
    code('plan/a.ts', 'plan/g.ts'),
  ]);
  t.end();
});

t.test('names, sizes of folders and files, and what pure rooms use hold in the whole house', (t) => {
  t.same(fileViolations(sources), []);
  t.end();
});

const file = (path: string, text = ''): Source => ({ path, text });
const files = (folder: string, count: number): Source[] =>
  Array.from({ length: count }, (_, index) => file(`${folder}/${index}.ts`));
const lines = (count: number): string => 'x\n'.repeat(count);

const forbiddenFiles: Record<string, readonly [Source[], string | undefined]> = {
  'two rooms with one name for a file': [
    [file('agent/load/a.ts'), file('agent/daemon/control/a.ts')],
    'agent/load/a.ts and agent/daemon/control/a.ts have one name: name each by what it does',
  ],
  'but a command, a function of the library and a record may have the name of what they are about': [
    ['load', 'commands/agent', 'library', 'records'].map((room) => file(`agent/${room}/a.ts`)),
    undefined,
  ],
  'and a test that of what it tests': [[file('agent/load/a.ts'), file('test/load/a.ts')], undefined],
  'nineteen files in a folder': [
    files('agent/load', 19),
    'agent/load/ shows 19 files; more than 18 are a search: sort them by subject',
  ],
  'but eighteen and a folder': [[...files('agent/load', 18), file('agent/load/more/a.ts')], undefined],
  'a file of 251 lines': [
    [file('agent/load/a.ts', lines(251))],
    'agent/load/a.ts has 251 lines, more than 250: it is more than one noun',
  ],
  'but 250 lines': [[file('native/a.cc', lines(250)), file('test/load/a.test.ts', lines(999))], undefined],
  'a clock in a pure room': [
    [file('agent/plan/a.ts', 'const now = Date.now();')],
    'agent/plan/a.ts uses Date, but its room is pure',
  ],
  'the environment in a pure room': [
    [file('agent/rules/udev/a.ts', "export const home = process.env['HOME'];")],
    'agent/rules/udev/a.ts uses process, but its room is pure',
  ],
  'something to wait for in a pure room': [
    [file('agent/match/a.ts', 'export async function a() {}')],
    'agent/match/a.ts uses async, but its room is pure',
  ],
  'but the same words in comments and strings': [
    [file('agent/plan/a.ts', "/** The process that waits. */\nconst a = 'Date'; // async\n")],
    undefined,
  ],
};
for (const [name, [given, expected]] of Object.entries(forbiddenFiles)) {
  t.test(`found: ${name}`, (t) => {
    t.same(fileViolations(given), expected === undefined ? [] : [expected]);
    t.end();
  });
}

t.test('each file of a pure room has a test of its name in the whole house', (t) => {
  t.same(mirrorViolations(sources), []);
  t.end();
});

/** What agent/plan/a.ts contains, and whether it needs a test. */
const CONTENTS: ReadonlyArray<readonly [rule: string, text: string, needed: boolean]> = [
  ['a function', 'export function a() {}', true],
  ['a generator', 'export function* a() {}', true],
  ['a table', 'export const A = 1;', true],
  ['a class', 'export abstract class A {}', true],
  ['a value under another name', 'const a = 1;\nexport { a as b };', true],
  ['a value of another file', "export { type A, b } from './b.ts';", true],
  ['all of another file', "export * from './b.ts';", true],
  ['something without a name', 'export default 1;', true],
  ['types', 'export interface A {}\nexport type B = A;', false],
  ['types of another file', "export type { A } from './b.ts';\nexport { type B } from './b.ts';", false],
  ['nothing', 'const a = 1;', false],
  ['a function in a comment', '/**\n * export function a() {}\nexport interface A {}', false],
];
for (const [rule, text, needed] of CONTENTS) {
  t.test(`a test is ${needed ? '' : 'not '}missing where a file exports ${rule}`, (t) => {
    const sentence =
      'agent/plan/a.ts has no test/plan/a.test.ts: its room is pure, so a table can show each of its rules';
    t.same(mirrorViolations([file('agent/plan/a.ts', text)], {}), needed ? [sentence] : []);
    t.end();
  });
}

const VALUE = 'export const A = 1;';
const EXCUSE = { 'agent/plan/a.ts': 'its table is tested by another' };
const needless = 'agent/plan/a.ts needs no excuse for a missing test: take it off the list';
const MIRRORS: ReadonlyArray<
  readonly [
    rule: string,
    given: readonly Source[],
    untested: Readonly<Record<string, string>>,
    found: readonly string[],
  ]
> = [
  ['a test of its name', [file('agent/plan/a.ts', VALUE), file('test/plan/a.test.ts')], {}, []],
  [
    'a test of its name in another folder',
    [file('agent/rules/udev/a.ts', VALUE), file('test/rules/a.test.ts')],
    {},
    ['agent/rules/udev/a.ts has no test/rules/udev/a.test.ts: its room is pure, so a table can show each of its rules'],
  ],
  ['a room that is not pure', [file('agent/load/a.ts', VALUE)], {}, []],
  ['an excuse', [file('agent/plan/a.ts', VALUE)], EXCUSE, []],
  ['an excuse for what has a test', [file('agent/plan/a.ts', VALUE), file('test/plan/a.test.ts')], EXCUSE, [needless]],
  ['an excuse for what has only types', [file('agent/plan/a.ts', 'export type A = 1;')], EXCUSE, [needless]],
  ['an excuse for what is gone', [], EXCUSE, [needless]],
];
for (const [rule, given, untested, found] of MIRRORS) {
  t.test(`mirrors: ${rule}`, (t) => {
    t.same(mirrorViolations(given, untested), found);
    t.end();
  });
}

t.test('what is allowed is not found', (t) => {
  t.same(
    importViolations([
      code('facts/uevents/uevent-socket.ts', 'netlink/dist/raw.js'),
      code('plan/a.ts', 'facts/b.ts', true),
      code('facts/a.ts', 'node:fs'),
    ]),
    [],
  );
  t.end();
});
