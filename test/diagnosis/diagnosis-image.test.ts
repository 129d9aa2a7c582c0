import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { badParameter, otherKernel, otherVersions, unknownSymbols } from '../../agent/diagnosis/diagnosis-image.ts';
import type { MissingSymbol, VersionMismatch } from '../../agent/diagnosis/evidence.ts';
import { BAD_VALUE, factsGiven, type Given } from './diagnosis-rig.ts';

const GONE = { kind: 'missing', elsewhere: undefined } as const;
const heard = (line: string): string => `the kernel said: ${line}`;
/** What the remedy for a kernel of this release begins with. */
const BUILD = /^build it for this kernel \(with DKMS: dkms autoinstall -k 6\.1\.0;/;

/** The evidence, undefined where it explains nothing; and what the remedy must say. */
type Rows = ReadonlyArray<
  readonly [rule: string, given: Given, evidence: readonly string[] | undefined, remedy?: RegExp]
>;

const layout: VersionMismatch = { symbol: 'module_layout', wanted: 0x1, found: 0xdeadbeef, provider: 'the kernel' };
const magicLine = "m: version magic '5.9 SMP ' should be '6.2.0 SMP mod_unload '";
const duplicate = 'm: exports duplicate symbol x (owned by y)';
const OTHER_KERNEL: Rows = [
  ['nothing is wrong', {}, undefined],
  [
    'another architecture',
    { file: { architecture: 'aarch64' } },
    ['built for aarch64, this kernel is x86_64'],
    /^install or build the module for this architecture$/,
  ],
  [
    'another architecture comes before another release',
    { file: { architecture: 'aarch64', vermagic: '5.9 SMP ' } },
    ['built for aarch64, this kernel is x86_64'],
  ],
  [
    'no architecture to compare with',
    { file: { architecture: 'aarch64', expectedArchitecture: undefined } },
    undefined,
  ],
  [
    'another release',
    { file: { vermagic: '5.9 SMP mod_unload ' } },
    ["version magic found:  '5.9 SMP mod_unload'", "version magic wanted: '6.1.0 SMP mod_unload'"],
    BUILD,
  ],
  ['blanks at the end do not count', { file: { vermagic: '6.1.0 SMP mod_unload' } }, undefined],
  [
    'another release with versions of symbols',
    { file: { vermagic: '5.9 SMP mod_unload ', hasVersions: true } },
    undefined,
  ],
  [
    'another release and nothing else, with versions of symbols',
    { file: { vermagic: '5.9', expectedVermagic: '6.1.0 ', hasVersions: true } },
    undefined,
  ],
  [
    'another configuration, even with versions of symbols',
    { file: { vermagic: '6.1.0 preempt mod_unload ', hasVersions: true } },
    ["version magic found:  '6.1.0 preempt mod_unload'", "version magic wanted: '6.1.0 SMP mod_unload'"],
  ],
  ['nothing to compare with', { file: { expectedVermagic: undefined } }, undefined],
  [
    'what the kernel wants counts more than what its modules have',
    { errno: 'ENOEXEC', log: [magicLine] },
    [`version magic found:  '6.1.0 SMP mod_unload'`, `version magic wanted: '6.2.0 SMP mod_unload'`],
    BUILD,
  ],
  [
    'what the kernel found, where the file does not say',
    { file: { vermagic: undefined, expectedVermagic: undefined }, errno: 'ENOEXEC', log: [magicLine] },
    [`version magic found:  '5.9 SMP'`, `version magic wanted: '6.2.0 SMP mod_unload'`],
  ],
  [
    'another layout of struct module',
    { file: { mismatches: [layout] } },
    ['built for a kernel whose module_layout is 0x00000001; here it is 0xdeadbeef'],
    BUILD,
  ],
  ['another version of another symbol', { file: { mismatches: [{ ...layout, symbol: 'printk' }] } }, undefined],
  [
    'another layout, and the kernel says so',
    {
      file: { mismatches: [layout] },
      errno: 'ENOEXEC',
      log: ['m: disagrees about version of symbol module_layout'],
    },
    [
      'built for a kernel whose module_layout is 0x00000001; here it is 0xdeadbeef',
      heard('m: disagrees about version of symbol module_layout'),
    ],
  ],
  [
    'it does not say for which kernel',
    { file: { vermagic: undefined } },
    ['it does not say for which kernel it was built (no vermagic)'],
    BUILD,
  ],
  ['which counts only on this machine', { kernel: null, file: { vermagic: undefined } }, undefined],
  ['the kernel alone', { errno: 'ENOEXEC', log: ['m: x', duplicate] }, [heard(duplicate)], BUILD],
  [
    'the kernel alone: the size of struct module',
    { errno: 'ENOEXEC', log: ['m: .gnu.linkonce.this_module section size must match'] },
    [heard('m: .gnu.linkonce.this_module section size must match')],
  ],
  ['no module to look at', { file: GONE }, undefined],
  [
    'no module to look at, and the kernel says why',
    { file: GONE, errno: 'ENOEXEC', log: [duplicate] },
    [heard(duplicate)],
  ],
  [
    "a module of the kernel's own package",
    { path: '/lib/modules/6.1.0/kernel/drivers/m.ko', file: { vermagic: '5.9 SMP ' } },
    ["version magic found:  '5.9 SMP'", "version magic wanted: '6.1.0 SMP mod_unload'"],
    /^install the package of kernel 6\.1\.0 and its modules again: this file is of another kernel$/,
  ],
  [
    'of another machine: the release is that of the modules beside it',
    { kernel: null, file: { architecture: 'x86_64', vermagic: '5.9 SMP ' } },
    ["version magic found:  '5.9 SMP'", "version magic wanted: '6.1.0 SMP mod_unload'"],
    BUILD,
  ],
  [
    "of another machine, in the kernel's own package, with nothing to compare with",
    {
      kernel: null,
      path: '/root/lib/modules/6.1.0/kernel/m.ko',
      file: { mismatches: [layout], expectedVermagic: undefined },
    },
    ['built for a kernel whose module_layout is 0x00000001; here it is 0xdeadbeef'],
    /^install the package of this kernel's modules again/,
  ],
];

const mismatch = (symbol: string, provider = 'libata'): VersionMismatch => ({ symbol, wanted: 1, found: 2, provider });
const differs = (symbol: string): string => `${symbol}: built against 0x00000001, libata has 0x00000002`;
const disagrees = 'm: disagrees about version of symbol c';
const VERSIONS: Rows = [
  ['nothing is wrong', {}, undefined],
  ['one symbol', { file: { mismatches: [mismatch('a')] } }, [differs('a')], BUILD],
  [
    'the symbol that the kernel names comes first',
    {
      file: { mismatches: [mismatch('a'), mismatch('b'), mismatch('c')] },
      errno: 'EINVAL',
      log: ['m: x', disagrees],
    },
    [differs('c'), differs('a'), differs('b'), heard(disagrees)],
  ],
  ['four are shown', { file: { mismatches: 'abcd'.split('').map((s) => mismatch(s)) } }, 'abcd'.split('').map(differs)],
  [
    'the others are counted',
    { file: { mismatches: 'abcdef'.split('').map((s) => mismatch(s)) } },
    [...'abcd'.split('').map(differs), '2 more symbols of other versions'],
  ],
  ['the kernel alone', { errno: 'EINVAL', log: [disagrees] }, [heard(disagrees)], BUILD],
  ['no module to look at', { file: GONE, errno: 'EINVAL', log: [disagrees] }, [heard(disagrees)]],
  ['no module to look at, and no word of it', { file: GONE, errno: 'EINVAL', log: ['m: x'] }, undefined],
];

const missing = (symbol: string, provider?: string, inDep = true): MissingSymbol => ({
  symbol,
  provider: provider as ModuleName | undefined,
  inDep,
});
const noSymbol = 'm: Unknown symbol ata_x (err -2)';
const SYMBOLS: Rows = [
  ['nothing is wrong', {}, undefined],
  [
    'a provider that is not loaded',
    { file: { missingSymbols: [missing('ata_x', 'libata')] } },
    ['libata is not loaded; it exports ata_x'],
    /^load libata first: modprobe -a libata$/,
  ],
  [
    'symbols of one provider are one sentence',
    { file: { missingSymbols: [missing('a', 'p'), missing('b', 'q'), missing('c', 'p')] } },
    ['p is not loaded; it exports a, c', 'q is not loaded; it exports b'],
    /^load p, q first: modprobe -a p q$/,
  ],
  [
    'a provider that modules.dep does not know',
    { file: { missingSymbols: [missing('a', 'p', false)] } },
    ['p is not loaded, nor among its dependencies in modules.dep; it exports a'],
    /^run depmod, then load it with modprobe, which loads p first$/,
  ],
  [
    'one that modules.dep does not know is enough for a stale index',
    { file: { missingSymbols: [missing('a', 'p'), missing('b', 'q', false)] } },
    ['p is not loaded; it exports a', 'q is not loaded, nor among its dependencies in modules.dep; it exports b'],
    /^run depmod/,
  ],
  [
    'one symbol of a provider that modules.dep does know',
    { file: { missingSymbols: [missing('a', 'p'), missing('b', 'p', false), missing('c', 'q', false)] } },
    [
      'p is not loaded, nor among its dependencies in modules.dep; it exports a, b',
      'q is not loaded, nor among its dependencies in modules.dep; it exports c',
    ],
    /^run depmod, then load it with modprobe, which loads p, q first$/,
  ],
  [
    'no provider at all',
    { file: { missingSymbols: [missing('a'), missing('b')] } },
    ['no module exports a, b, nor does the kernel'],
    /the kernel was built without what it needs/,
  ],
  [
    'no provider for one of them: the others do not help',
    { file: { missingSymbols: [missing('a', 'p', false), missing('b')] } },
    [
      'p is not loaded, nor among its dependencies in modules.dep; it exports a',
      'no module exports b, nor does the kernel',
    ],
    /the kernel was built without what it needs/,
  ],
  [
    'what the facts explain the kernel need not say again',
    { file: { missingSymbols: [missing('ata_x', 'libata')] }, errno: 'ENOENT', log: [noSymbol] },
    ['libata is not loaded; it exports ata_x'],
  ],
  [
    'a symbol that only the kernel misses',
    { errno: 'ENOENT', log: ['m: x', noSymbol] },
    ['ata_x: not available to this module', heard(noSymbol)],
  ],
  [
    'each of them once',
    { errno: 'ENOENT', log: [noSymbol, noSymbol] },
    ['ata_x: not available to this module', heard(noSymbol), heard(noSymbol)],
  ],
  [
    'four lines are shown',
    { errno: 'ENOENT', log: 'abcde'.split('').map((s) => `m: Unknown symbol ${s} (err -2)`) },
    [
      ...'abcde'.split('').map((s) => `${s}: not available to this module`),
      ...'abcd'.split('').map((s) => heard(`m: Unknown symbol ${s} (err -2)`)),
    ],
  ],
  [
    'EINVAL is not about symbols unless the kernel says so',
    { file: { missingSymbols: [missing('a', 'p')] }, errno: 'EINVAL', log: ['m: x'] },
    undefined,
  ],
  ['an init may answer ENOENT', { errno: 'ENOENT', log: ['m: firmware not found'] }, undefined],
  [
    'no module to look at',
    { file: GONE, errno: 'ENOENT', log: [noSymbol] },
    ['ata_x: not available to this module', heard(noSymbol)],
  ],
];

const invalid = "m: `x' invalid for parameter `a'";
const PARAMETERS: Rows = [
  ['nothing is wrong', {}, undefined],
  [
    'a value that does not fit',
    { file: { badParameters: [BAD_VALUE] } },
    ['a=x is no value for a parameter of type int'],
    /^correct the value; modinfo -p m shows what it takes$/,
  ],
  [
    'with its place',
    { file: { badParameters: [{ ...BAD_VALUE, place: { file: '/etc/modprobe.d/a.conf', line: 2 } }] } },
    ['a=x is no value for a parameter of type int (/etc/modprobe.d/a.conf:2)'],
  ],
  [
    'without a value',
    { file: { badParameters: [{ ...BAD_VALUE, value: undefined, type: undefined }] } },
    ['a is no value for a parameter of type unknown'],
  ],
  [
    'an empty value is one',
    { file: { badParameters: [{ ...BAD_VALUE, value: '' }] } },
    ['a= is no value for a parameter of type int'],
  ],
  ['an unknown parameter is ignored', { file: { badParameters: [{ ...BAD_VALUE, kind: 'unknown' }] } }, undefined],
  ['the kernel alone', { errno: 'ERANGE', log: ['m: x', invalid] }, [heard(invalid)], /modinfo -p m/],
  [
    'an unknown one that the kernel ignored before it',
    { errno: 'EINVAL', log: ["m: unknown parameter 'b' ignored", invalid] },
    [heard(invalid)],
    /modinfo -p m/,
  ],
  [
    'an unknown one that the kernel ignored, and nothing more: an init answered',
    { errno: 'EINVAL', log: ["m: unknown parameter 'b' ignored"] },
    undefined,
  ],
  ['no module to look at', { file: GONE, errno: 'ERANGE', log: [invalid] }, [heard(invalid)]],
  [
    'the facts and the kernel',
    { file: { badParameters: [BAD_VALUE] }, errno: 'EINVAL', log: [invalid] },
    ['a=x is no value for a parameter of type int', heard(invalid)],
  ],
  [
    'EPERM is not about a value unless the kernel says so',
    { file: { badParameters: [BAD_VALUE] }, errno: 'EPERM' },
    undefined,
  ],
  [
    'EPERM, and the kernel says so',
    { file: { badParameters: [BAD_VALUE] }, errno: 'EPERM', log: [invalid] },
    ['a=x is no value for a parameter of type int', heard(invalid)],
  ],
  ['a line about something else that it should be', { errno: 'EINVAL', log: ['m: mode should be 1'] }, undefined],
  [
    "a module's name that is not ASCII",
    { module: 'm\xe9', errno: 'EINVAL', log: [invalid] },
    [heard(invalid)],
    /modinfo -p m\xe9 /,
  ],
];

const TABLES = { otherKernel, otherVersions, unknownSymbols, badParameter };
for (const [name, rows] of Object.entries({
  otherKernel: OTHER_KERNEL,
  otherVersions: VERSIONS,
  unknownSymbols: SYMBOLS,
  badParameter: PARAMETERS,
})) {
  for (const [rule, given, evidence, remedy] of rows) {
    t.test(`${name}: ${rule}`, (t) => {
      const explanation = TABLES[name as keyof typeof TABLES](factsGiven(given));
      t.same(explanation?.evidence, evidence);
      if (remedy !== undefined) t.match(explanation?.remedy, remedy);
      t.end();
    });
  }
}
