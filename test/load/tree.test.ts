import { mkdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { moduleName } from '../../agent/base/names.ts';
import type { Problem } from '../../agent/base/problem.ts';
import { createMatcher } from '../../agent/match/matcher.ts';
import { findSources } from '../../agent/load/sources.ts';
import { findTree, openTree, type ModuleTree } from '../../agent/load/tree.ts';
import { indexBytes, key } from '../fixtures/index.ts';

const KERNEL = '6.1.0-test';
const TEXTS = {
  'modules.dep': 'kernel/b.ko: kernel/a.ko\nkernel/a.ko:\n',
  'modules.alias': '# Aliases extracted from modules themselves.\nalias pci:v1* a\nalias pci:v* b\nalias x[ b\n',
  'modules.symbols': '# x\nalias symbol:s-t a\n',
  'modules.builtin': 'kernel/in-side.ko\n',
  'modules.builtin.modinfo': 'in_side.alias=net-pf-1\0in_side.license=GPL\0',
};
const BINS = {
  'modules.dep.bin': indexBytes([
    ['a', 'kernel/a.ko:', 1],
    ['b', 'kernel/b.ko: kernel/a.ko', 0],
  ]),
  'modules.alias.bin': indexBytes([
    ['pci:v1*', 'a', 1],
    ['pci:v*', 'b', 0],
  ]),
  'modules.symbols.bin': indexBytes([['symbol:s_t', 'a', 1]]),
  'modules.builtin.bin': indexBytes([['in_side', '', 0]]),
  'modules.builtin.alias.bin': indexBytes([['net_pf_1', 'in_side', 0]]),
};
type Files = Readonly<Record<string, string | Buffer>>;

function treeOf(t: Test, files: Files): ModuleTree {
  const root = t.testdir({ lib: { modules: { [KERNEL]: {} } } });
  for (const [name, content] of Object.entries(files)) writeFileSync(`${root}/lib/modules/${KERNEL}/${name}`, content);
  return openTree(openHost({ root, kernel: KERNEL }));
}

/** What a tree answers to one question for each of its indexes. */
function answers(tree: ModuleTree): string[] {
  const matcher = createMatcher(tree.indexes, { aliases: [], commands: [] });
  return ['pci:v1d2', 'b', 'symbol:s-t', 'in-side', 'net-pf-1'].map((name) => {
    const lookup = matcher.lookup(name);
    return lookup.kind === 'found'
      ? lookup.candidates.map(({ module, source }) => `${source} ${module}`).join(', ')
      : lookup.kind;
  });
}
const ALL = [
  'modules.alias b, modules.alias a',
  'modules.dep b',
  'modules.symbols a',
  'modules.builtin in_side',
  'builtin-alias in_side',
];
const cut = (bytes: Buffer) => bytes.subarray(0, -3);

const ROWS: ReadonlyArray<
  readonly [
    rule: string,
    files: Files,
    expected: readonly string[],
    problems: ReadonlyArray<readonly [file: string, code: Problem['code'], message: RegExp]>,
  ]
> = [
  ['indexes alone', BINS, ALL, []],
  [
    'texts alone: what cannot be in an index is reported',
    TEXTS,
    ALL,
    [['modules.alias', 'malformed', /^'x\[' is left out: a bracket/]],
  ],
  ['both: the indexes count', { ...TEXTS, ...BINS }, ALL, []],
  [
    'a damaged index: its text is used',
    {
      ...BINS,
      'modules.alias.bin': cut(BINS['modules.alias.bin']),
      'modules.alias': 'alias pci:v1* a\nalias pci:v* b\n',
      'modules.dep': TEXTS['modules.dep'],
    },
    ALL,
    [['modules.alias.bin', 'damaged', /^offset 0x49: a table of children is cut off; modules\.alias is used instead$/]],
  ],
  [
    'without modules.dep the order comes from modules.dep.bin',
    {
      ...BINS,
      'modules.alias.bin': cut(BINS['modules.alias.bin']),
      'modules.alias': 'alias pci:v1* a\nalias pci:v* b\n',
    },
    ALL,
    [['modules.alias.bin', 'damaged', /modules\.alias is used instead/]],
  ],
  [
    'a damaged index without its text costs only what it holds',
    { ...BINS, 'modules.symbols.bin': cut(BINS['modules.symbols.bin']) },
    [...ALL.slice(0, 2), 'none', ...ALL.slice(3)],
    [['modules.symbols.bin', 'damaged', /; what it holds is not found$/]],
  ],
  [
    'an empty index that a crash left',
    { ...BINS, 'modules.dep.bin': '', 'modules.dep': TEXTS['modules.dep'] },
    ALL,
    [['modules.dep.bin', 'damaged', /^the file is empty; modules\.dep is used instead$/]],
  ],
  [
    'empty builtin indexes are what depmod leaves where the kernel has no list',
    { ...BINS, 'modules.builtin.bin': '', 'modules.builtin.alias.bin': '' },
    [...ALL.slice(0, 3), 'none', 'none'],
    [],
  ],
  [
    'an index that is a directory, or not there, with no text',
    { 'modules.dep.bin': BINS['modules.dep.bin'] },
    ['none', 'modules.dep b', 'none', 'none', 'none'],
    [['modules.alias', 'missing', /^neither modules\.alias\.bin nor modules\.alias is there; make them: depmod$/]],
  ],
];
for (const [rule, files, expected, problems] of ROWS) {
  t.test(rule, (t) => {
    const tree = treeOf(t, files);
    t.same(tree.problems(), [], 'nothing is looked at before it is asked');
    t.same(answers(tree), expected);
    t.same(answers(tree), expected, 'also the second time');
    t.equal(tree.problems().length, problems.length, 'each problem once');
    problems.forEach(([file, code, message], i) => {
      t.match(tree.problems()[i], { file: `${tree.files.dir}/${file}`, code, message });
    });
    t.end();
  });
}

t.test('damage deep inside is found when a lookup meets it, and the text takes over', (t) => {
  const bytes = Buffer.from(BINS['modules.alias.bin']);
  bytes[bytes.length - 6] = 0x7f; // the root's table of children
  const tree = treeOf(t, { ...BINS, ...TEXTS, 'modules.alias.bin': bytes });
  t.same(answers(tree), ALL);
  t.match(tree.problems()[0], { file: /modules\.alias\.bin$/, message: /modules\.alias is used instead/ });
  t.same(
    [...(tree.indexes.aliases?.entries() ?? [])].map(({ key: pattern }) => pattern),
    ['pci:v*', 'pci:v1*'],
  );
  t.end();
});

t.test('an unreadable index is as good as a damaged one', (t) => {
  const tree = treeOf(t, TEXTS);
  mkdirSync(`${tree.files.dir}/modules.alias.bin`);
  t.same(answers(tree), ALL);
  t.match(tree.problems()[0], {
    file: /modules\.alias\.bin$/,
    code: 'unreadable',
    message: /^a directory, not a file.*; modules\.alias is used instead/,
  });
  t.end();
});

t.test('modules.dep may name files that are not there', (t) => {
  const tree = treeOf(t, TEXTS);
  const matcher = createMatcher(tree.indexes, { aliases: [], commands: [] });
  t.same(matcher.dependencies(moduleName('b')), { path: 'kernel/b.ko', depends: ['kernel/a.ko'] });
  t.equal(tree.indexes.dep?.search(key('b'))[0]?.value, 'kernel/b.ko: kernel/a.ko');
  t.end();
});

t.test('no directory for this kernel is a value, and an error for who needs one', (t) => {
  const other = t.testdir({ lib: { modules: {} } });
  t.match(findTree(openHost({ root: other, kernel: KERNEL })), {
    kind: 'no-tree',
    why: 'absent',
    reason: `there are no modules for kernel ${KERNEL}: no directory ${other}/lib/modules/${KERNEL}`,
    remedy: /has no modules for any kernel$/,
  });
  t.equal(findSources(openHost({ root: other, kernel: KERNEL })).kind, 'no-tree');
  const root = t.testdir({ lib: { modules: { '6.1.0-7-amd64': {}, '6.1.0-9-amd64': {} } } });
  t.throws(() => openTree(openHost({ root, kernel: KERNEL })), {
    code: 'no-modules-directory',
    message: `there are no modules for kernel ${KERNEL}: no directory ${root}/lib/modules/${KERNEL}`,
    remedy: `${root}/lib/modules has modules for 6.1.0-7-amd64, 6.1.0-9-amd64: reboot into one of them, or name it with --kernel`,
  });
  const loop = t.testdir({ lib: { modules: { [KERNEL]: t.fixture('symlink', KERNEL) } } });
  t.match(findTree(openHost({ root: loop, kernel: KERNEL })), {
    kind: 'no-tree',
    why: 'closed',
    reason: `the modules of kernel ${KERNEL} cannot be looked at: ${loop}/lib/modules/${KERNEL}: a symbolic link that leads to itself`,
    remedy: 'correct the path',
  });
  t.throws(() => openTree(openHost({ root: t.testdir({}), kernel: KERNEL })), {
    code: 'no-modules-directory',
    remedy: /install the kernel's modules package/,
  });
  t.end();
});
