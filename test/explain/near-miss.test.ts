import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { nearMiss } from '../../agent/explain/near-miss.ts';
import { openSources } from '../../agent/load/sources.ts';
import { makeModuleDirectory, type Files } from '../fixtures/made-tree.ts';

const OWN = '6.1';
/** A tree that depmod has seen, with one module. */
const INDEXED: Files = {
  'kernel/known.ko': { modinfo: ['alias=pci:v1*'] },
  'modules.dep': 'kernel/known.ko:\n',
  'modules.alias': 'alias pci:v1* known\n',
};

/** What is found, with the root's path taken out, for these files by release. */
function look(t: Test, trees: Readonly<Record<string, Files>>, names: readonly string[]) {
  const root = t.testdir({});
  for (const [release, files] of Object.entries(trees)) makeModuleDirectory(join(root, 'lib/modules', release), files);
  const host = openHost({ root, kernel: OWN, sysfs: join(root, 'sys'), proc: join(root, 'proc') });
  const found = nearMiss(host, openSources(host), names);
  const plain = (text: string) => text.replaceAll(root, 'ROOT');
  return found && { evidence: found.evidence.map(plain), remedy: plain(found.remedy) };
}

const stray = (file: string) => `ROOT/lib/modules/${OWN}/${file} is for it, and the indexes do not have it`;
const DEPMOD = `depmod -b ROOT ${OWN}`;
const own = (files: Files) => ({ [OWN]: { ...INDEXED, ...files } });

const ROWS: ReadonlyArray<
  readonly [
    rule: string,
    trees: Readonly<Record<string, Files>>,
    names: readonly string[],
    found: readonly [evidence: readonly string[], remedy: string] | undefined,
  ]
> = [
  ['nothing is near', own({}), ['pci:v2'], undefined],
  ['nothing is asked', own({ 'extra/x.ko': {} }), [], undefined],
  ['what is indexed is no stray file', own({}), ['known', 'pci:v1'], undefined],
  ['a file of that name', own({ 'extra/x.ko': {} }), ['x'], [[stray('extra/x.ko')], DEPMOD]],
  ['a dash in the name', own({ 'extra/x-y.ko': {} }), ['x_y'], [[stray('extra/x-y.ko')], DEPMOD]],
  ['a dash in the question', own({ 'extra/x_y.ko': {} }), ['x-y'], [[stray('extra/x_y.ko')], DEPMOD]],
  [
    'a file with such an alias',
    own({ 'extra/x.ko': { modinfo: ['alias=usb:v1*', 'alias=pci:v2d*'] } }),
    ['pci:v2d3'],
    [[stray('extra/x.ko')], DEPMOD],
  ],
  ['a file with another alias', own({ 'extra/x.ko': { modinfo: ['alias=pci:v3*'] } }), ['pci:v2d3'], undefined],
  ['a dash in an alias', own({ 'extra/x.ko': { modinfo: ['alias=fs-x'] } }), ['fs_x'], [[stray('extra/x.ko')], DEPMOD]],
  ['a file that is no module answers to its name alone', own({ 'extra/x.ko': 'text' }), ['pci:v2'], undefined],
  ['and it does', own({ 'extra/x.ko': 'text' }), ['x'], [[stray('extra/x.ko')], DEPMOD]],
  [
    'each of several, for any of the names',
    own({ 'extra/x.ko': {}, 'extra/y.ko': { modinfo: ['alias=pci:v2*'] } }),
    ['x', 'pci:v2'],
    [[stray('extra/x.ko'), stray('extra/y.ko')], DEPMOD],
  ],
  [
    'another kernel that has it',
    { ...own({}), '6.2': { 'modules.dep': 'kernel/x.ko:\n', 'modules.alias': 'alias pci:v2* x\n' } },
    ['pci:v2', 'x'],
    [['kernel 6.2, installed too, has x for it'], 'boot kernel 6.2'],
  ],
  [
    'each of its modules once',
    {
      ...own({}),
      '6.2': { 'modules.dep': 'kernel/x.ko:\nkernel/y.ko:\n', 'modules.alias': 'alias pci:v2* x\nalias pci:v2* y\n' },
    },
    ['pci:v2', 'x'],
    [['kernel 6.2, installed too, has x, y for it'], 'boot kernel 6.2'],
  ],
  [
    'several other kernels: the first is to be booted',
    {
      ...own({}),
      '6.2': { 'modules.dep': 'kernel/x.ko:\n' },
      '6.3': { 'modules.dep': 'kernel/x.ko:\n' },
      '6.4': { 'modules.dep': 'kernel/y.ko:\n' },
    },
    ['x'],
    [['kernel 6.2, installed too, has x for it', 'kernel 6.3, installed too, has x for it'], 'boot kernel 6.2'],
  ],
  [
    'its own file counts more than another kernel',
    { ...own({ 'extra/x.ko': {} }), '6.2': { 'modules.dep': 'kernel/x.ko:\n' } },
    ['x'],
    [[stray('extra/x.ko')], DEPMOD],
  ],
  [
    'a tree that depmod has never seen has no stray files',
    own(Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`extra/x${i}.ko`, 'text']))),
    ['x7'],
    undefined,
  ],
  [
    'but 200 files may be an oversight',
    own(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`extra/x${i}.ko`, 'text']))),
    ['x7'],
    [[stray('extra/x7.ko')], DEPMOD],
  ],
  ['a name that is not ASCII', own({ 'extra/é.ko': {} }), ['\xc3\xa9'], [[stray('extra/é.ko')], DEPMOD]],
];
for (const [rule, trees, names, expected] of ROWS) {
  t.test(rule, (t) => {
    const found = look(t, trees, names);
    t.same(found && [found.evidence, found.remedy], expected);
    t.end();
  });
}
