import type { ModuleName } from '../../../agent/base/names.ts';
import { FIRMWARE_CHECK, TREE_CHECKS } from '../../../agent/explain/doctor/health-tree.ts';
import type { HealthFacts } from '../../../agent/explain/doctor/health.ts';
import { live, WELL, testChecks, type HealthRow } from './health-rig.ts';

const firmware = (missing: string[], failed: string[] = []) => ({
  firmware: [{ module: 'iwlwifi' as ModuleName, named: 2, missing, failed }],
});

const tree = (change: Partial<NonNullable<HealthFacts['tree']>>) => ({
  ...(WELL.tree as NonNullable<HealthFacts['tree']>),
  ...change,
});
const missing = (name: string) =>
  ({
    file: `/lib/modules/6.1.3/${name}`,
    line: 0,
    column: 0,
    severity: 'error',
    code: 'missing',
    message: 'is not there',
  }) as const;
const firmwareOf = (module: string, named: number, missing: readonly string[]) => ({
  module: module as ModuleName,
  named,
  missing,
  failed: [],
});

const ROWS: readonly HealthRow[] = [
  [
    'module-tree',
    { tree: undefined, releases: ['6.1.4'] },
    'wrong',
    /^running 6\.1\.3, on disk only 6\.1\.4: nothing can load until reboot/,
  ],
  [
    'module-tree',
    { tree: undefined, releases: ['6.1.4', '6.2'], root: '/image', running: undefined, live: undefined },
    'wrong',
    /only for 6\.1\.4 and 6\.2/,
  ],
  ['module-tree', { tree: undefined, releases: [] }, 'wrong', /nor for any other/],
  [
    'module-tree',
    { tree: undefined, releases: [], closed: { reason: 'it cannot be looked at', remedy: 'run it as root' } },
    'wrong',
    /^it cannot be looked at\nrun it as root$/,
  ],
  ['module-tree', { ...live({ moduleSupport: false }), tree: undefined, releases: [] }, 'ok', /none could be loaded/],
  [
    'tree-complete',
    { tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), missing: ['a', 'b', 'c', 'd', 'e', 'f'] } },
    'wrong',
    /^6 modules of modules.dep have no file\na\nb\nc\nd\ne\nand 1 more/,
  ],
  ['tree-complete', { tree: undefined }, undefined],
  [
    'indexes',
    { tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), unlisted: ['extra/x.ko'] } },
    'wrong',
    /1 module is not in modules.dep[^]*depmod 6\.1\.3/,
  ],
  [
    'indexes',
    { root: '/image', tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), newer: ['x.ko'] } },
    'warning',
    /depmod -b \/image 6\.1\.3/,
  ],
  [
    'indexes',
    { tree: tree({ problems: [missing('modules.builtin')] }) },
    'wrong',
    /its build makes these files, not depmod$/,
  ],
  [
    'indexes',
    { tree: tree({ problems: [missing('modules.builtin'), missing('modules.dep')] }) },
    'wrong',
    /rebuild them: depmod 6\.1\.3$/,
  ],
  [
    'indexes',
    {
      tree: {
        ...(WELL.tree as NonNullable<HealthFacts['tree']>),
        problems: [
          { file: 'modules.dep.bin', line: 0, column: 0, severity: 'error', code: 'damaged', message: 'cut off' },
        ],
      },
    },
    'wrong',
    /modules.dep.bin: cut off/,
  ],
  ['firmware', firmware([]), 'ok', /1 module in use/],
  ['firmware', firmware(['a.bin']), 'ok', /at least one of its own/],
  ['firmware', firmware(['a.bin', 'b.bin']), 'warning', /iwlwifi: a.bin, b.bin/],
  ['firmware', firmware(['a.bin'], ['a.bin']), 'wrong', /the kernel did not find a.bin/],
  ['firmware', { ...firmware(['a.bin', 'b.bin']), firmwareFolders: [] }, 'warning', /there is no \/lib\/firmware/],
  ['module-tree', {}, 'ok', /^4023 modules in \/lib\/modules\/6\.1\.3/],
  ['module-tree', { tree: tree({ modules: 1 }) }, 'ok', /^1 module in /],
  [
    'module-tree',
    { tree: undefined, releases: ['6.1.3', '6.1.4'] },
    'wrong',
    /only 6\.1\.4: .*\nno directory \/lib\/modules\/6\.1\.3\nreboot into a kernel/,
  ],
  ['tree-complete', {}, 'ok', /^every file of modules.dep is there/],
  [
    'tree-complete',
    { tree: tree({ missing: ['a'] }) },
    'wrong',
    /^1 module of modules.dep has no file\na\ninstall the package/,
  ],
  ['tree-complete', { tree: tree({ missing: ['a', 'b', 'c', 'd', 'e'] }) }, 'wrong', /\nd\ne\ninstall/],
  ['indexes', {}, 'ok', /^whole, and newer than every module/],
  ['indexes', { tree: undefined }, undefined],
  ['firmware', {}, 'ok', /^no module in use names any/],
  ['firmware', { live: undefined }, undefined],
  [
    'firmware',
    { ...firmware(['a.bin', 'b.bin']), live: undefined },
    'warning',
    /^1 module in use or wanted names firmware/,
  ],
  [
    'firmware',
    { firmware: ['x', 'y'].map((module) => firmwareOf(module, 5, ['a', 'b', 'c', 'd', 'e'])) },
    'warning',
    /^2 modules in use or wanted name firmware .*\nx: a, b and 3 more\ny: a, b and 3 more\n/,
  ],
  [
    'firmware',
    { firmware: [firmwareOf('x', 2, ['a', 'b']), { ...firmwareOf('y', 3, ['c']), failed: ['c'] }] },
    'wrong',
    /^the kernel asked for firmware that is not there\nx: a, b\ny: the kernel did not find c\n/,
  ],
  ['firmware', { ...firmware(['a.bin']), firmwareFolders: [] }, 'ok', /at least one of its own/],
];
testChecks([...TREE_CHECKS, FIRMWARE_CHECK], ROWS);
