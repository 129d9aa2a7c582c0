import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { otherLicense, otherNamespace } from '../../agent/diagnosis/diagnosis-terms.ts';
import type { WithheldSymbol } from '../../agent/diagnosis/evidence.ts';
import { factsGiven, type Given } from './diagnosis-rig.ts';

const place = { symbol: 'x', provider: 'libata' as ModuleName, file: '/l.ko' };
const foreign = (namespace: string): WithheldSymbol => ({ kind: 'namespace', namespace, ...place });
const imported: WithheldSymbol = { kind: 'module-import', namespace: 'module:m' };
const gplOnly: WithheldSymbol = { kind: 'gpl-only', license: 'X', inheritedFrom: undefined, ...place };
const said = 'm: module uses symbol (x) from namespace CRYPTO_INTERNAL, but does not import it.';
const named = 'm: module "m" uses symbol "x", which is exported only for module "a"';

/** Evidence and remedy; undefined for what these rows do not explain. */
type Rows = ReadonlyArray<readonly [rule: string, given: Given, evidence: readonly string[] | undefined, RegExp?]>;

const NAMESPACE: Rows = [
  ['nothing is withheld', {}, undefined],
  ['only another reason', { file: { withheldSymbols: [gplOnly] } }, undefined],
  [
    'a namespace that is not imported',
    { errno: 'EINVAL', log: [said] },
    [`the kernel said: ${said}`],
    /^the module must import the namespace/,
  ],
  ['modules that are named', { errno: 'EINVAL', log: [named] }, [`the kernel said: ${named}`]],
  [
    'two namespaces',
    { file: { withheldSymbols: [foreign('A'), foreign('B'), foreign('A')] } },
    [
      'it uses x of libata (/l.ko), of namespace A, which it does not import',
      'it uses x of libata (/l.ko), of namespace B, which it does not import',
      'it uses x of libata (/l.ko), of namespace A, which it does not import',
    ],
    /\(MODULE_IMPORT_NS\(A\), MODULE_IMPORT_NS\(B\)\)/,
  ],
  [
    'a configuration that allows it',
    { file: { withheldSymbols: [foreign('A')] }, config: { allowsMissingImports: true } },
    undefined,
  ],
  [
    'an import that nobody may make',
    { file: { withheldSymbols: [imported] } },
    ["it imports 'module:m': what is for named modules cannot be imported"],
    /^remove that MODULE_IMPORT_NS/,
  ],
];

const LICENSE: Rows = [
  ['nothing is withheld', {}, undefined],
  ['only another reason', { file: { withheldSymbols: [foreign('A')] } }, undefined],
  [
    'its own license',
    { file: { withheldSymbols: [gplOnly] } },
    [
      'it uses x of libata (/l.ko), which is for GPL-compatible modules only',
      "its license is 'X', which the kernel does not take for compatible with the GPL",
    ],
    /^install or build a version/,
  ],
  [
    "another module's",
    { file: { withheldSymbols: [{ kind: 'proprietary', ...place }] } },
    ['it uses GPL-only symbols, and x of libata (/l.ko), which is proprietary'],
  ],
];

for (const [name, explain, rows] of [
  ['otherNamespace', otherNamespace, NAMESPACE],
  ['otherLicense', otherLicense, LICENSE],
] as const) {
  for (const [rule, given, evidence, remedy] of rows) {
    t.test(`${name}: ${rule}`, (t) => {
      const explanation = explain(factsGiven(given));
      t.same(explanation?.evidence, evidence);
      if (remedy !== undefined) t.match(explanation?.remedy, remedy);
      t.end();
    });
  }
}
