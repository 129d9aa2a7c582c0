import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { isGplCompatible, mayUse, withheldSymbols, type OfferedSymbol } from '../../agent/diagnosis/symbol-terms.ts';

const name = (text: string) => text as ModuleName;

t.test('licenses that the kernel takes for GPL-compatible', (t) => {
  const rows: ReadonlyArray<readonly [license: string | undefined, compatible: boolean]> = [
    ['GPL', true],
    ['GPL v2', true],
    ['GPL and additional rights', true],
    ['Dual BSD/GPL', true],
    ['Dual MIT/GPL', true],
    ['Dual MPL/GPL', true],
    ['Proprietary', false],
    ['NVIDIA', false],
    ['BSD', false],
    ['gpl', false],
    ['GPL v2 ', false],
    ['GPL v3', false],
    ['', false],
    [undefined, false],
  ];
  for (const [license, compatible] of rows) t.equal(isGplCompatible(license), compatible, license ?? 'none');
  t.end();
});

t.test('namespaces', (t) => {
  const rows: ReadonlyArray<readonly [namespace: string, module: string, imports: readonly string[], may: boolean]> = [
    ['', 'm', [], true],
    ['USB_STORAGE', 'm', [], false],
    ['USB_STORAGE', 'm', ['USB'], false],
    ['USB_STORAGE', 'm', ['USB', 'USB_STORAGE'], true],
    ['USB*', 'm', ['USB_STORAGE'], false],
    ['module:kvm-amd,kvm-intel', 'kvm_amd', [], true],
    ['module:kvm-amd,kvm-intel', 'kvm_intel', [], true],
    ['module:kvm_amd', 'kvm_amd', [], true],
    ['module:kvm-amd', 'kvm', [], false],
    ['module:kvm', 'kvm_amd', [], false],
    ['module:kvm-*', 'kvm_amd', [], true],
    ['module:kvm-*', 'kvm', [], false],
    ['module:a,kvm*', 'kvm', [], true],
    ['module:*', 'anything', [], true],
    ['module:', 'm', [], false],
    ['module:a,,b', 'b', [], true],
    // Before 6.16 it was a namespace like any other.
    ['module:kvm', 'm', ['module:kvm'], true],
    ['modules:m', 'm', [], false],
  ];
  for (const [namespace, module, imports, may] of rows)
    t.equal(mayUse(namespace, name(module), imports), may, `${module} [${imports.join()}]: '${namespace}'`);
  t.end();
});

/** A symbol: `gpl`, a namespace, of a proprietary module, weak. */
function offer(symbol: string, more: Partial<OfferedSymbol['terms'] & OfferedSymbol> = {}): OfferedSymbol {
  const { gplOnly = false, namespace = '', ...rest } = more;
  const terms = { gplOnly: 'gplOnly' in more ? more.gplOnly : gplOnly, namespace };
  return { symbol, weak: false, provider: name('p'), file: '/p.ko', proprietary: false, ...rest, terms };
}

const GPL = { gplOnly: true };
const OTHERS = { proprietary: true };
const ROWS: ReadonlyArray<
  readonly [rule: string, license: string | undefined, offers: readonly OfferedSymbol[], expected: string]
> = [
  ['a GPL module may use GPL-only symbols', 'GPL', [offer('a', GPL)], ''],
  ['another may not', 'Proprietary', [offer('a', GPL), offer('b')], 'a gpl-only'],
  ['nor one without a license', undefined, [offer('a', GPL)], 'a gpl-only'],
  ['a weak one is missing then', 'Proprietary', [offer('a', { ...GPL, weak: true })], ''],
  ['terms that nobody knows are no reason', 'Proprietary', [offer('a', { gplOnly: undefined })], ''],
  ['what uses a proprietary module becomes proprietary', 'GPL', [offer('a', OTHERS), offer('b', GPL)], 'b gpl-only'],
  ['and may not, once it uses GPL-only symbols', 'GPL', [offer('b', GPL), offer('a', OTHERS)], 'a proprietary'],
  ['a weak one of those is missing', 'GPL', [offer('b', GPL), offer('a', { ...OTHERS, weak: true })], ''],
  ['without GPL-only symbols it may', 'GPL', [offer('a', OTHERS), offer('b', OTHERS)], ''],
  ['proprietary modules may use each other', 'Proprietary', [offer('a', OTHERS)], ''],
  ['a GPL-only symbol of a proprietary module', 'GPL', [offer('a', { ...GPL, ...OTHERS })], 'a proprietary'],
  ['a namespace that is not imported', 'GPL', [offer('a', { namespace: 'N' })], 'a namespace'],
  ['a weak symbol is refused for it, too', 'GPL', [offer('a', { namespace: 'N', weak: true })], 'a namespace'],
  ['a namespace that is imported', 'GPL', [offer('a', { namespace: 'MINE' })], ''],
  ['the license counts before the namespace', 'X', [offer('a', { ...GPL, namespace: 'N' })], 'a gpl-only'],
];

for (const [rule, license, offers, expected] of ROWS) {
  t.test(rule, (t) => {
    const user = { module: name('m'), license, imports: ['MINE'], release: '6.1.0' };
    const withheld = withheldSymbols(user, offers);
    t.equal(withheld.map((each) => `${'symbol' in each ? each.symbol : ''} ${each.kind}`).join('; '), expected);
    t.end();
  });
}

t.test('a proprietary module is named that made its user proprietary', (t) => {
  const user = { module: name('m'), license: 'GPL', imports: [], release: '6.1.0' };
  const [first] = withheldSymbols(user, [offer('a', { proprietary: true, provider: name('nv') }), offer('b', GPL)]);
  t.match(first, { kind: 'gpl-only', license: 'GPL', inheritedFrom: 'nv', symbol: 'b' });
  t.end();
});

t.test('a namespace of named modules cannot be imported since 6.16', (t) => {
  const kinds = (release: string) =>
    withheldSymbols({ module: name('m'), license: 'GPL', imports: ['module:m', 'N'], release }, []);
  for (const release of ['6.16.0', '6.16-rc1', '6.20.3-arch1', '7.0.0'])
    t.match(kinds(release), [{ kind: 'module-import', namespace: 'module:m' }], release);
  for (const release of ['6.15.9', '6.1.0-56-amd64', '5.19.0', '1.0', 'x']) t.same(kinds(release), [], release);
  t.end();
});
