/** Explains refusals because of the module's image. Pure. */
import { buildRemedy } from './dkms-remedy.ts';
import type { MissingSymbol } from './evidence.ts';
import { errnoIs, said, type Explanation, type Facts } from './diagnosis-facts.ts';
import { placeText, quoted } from '../base/words.ts';

/** Built for another architecture, another kernel, or with another layout of struct module. */
export function otherKernel(facts: Facts): Explanation | undefined {
  const { image, logged, kernel } = facts;
  const line = logged(
    /version magic|duplicate symbol|this_module section size|disagrees about version of symbol module_layout/,
  );
  if (image === undefined) return line === undefined ? undefined : { evidence: said(line), remedy: rebuild(facts) };
  if (image.expectedArchitecture !== undefined && image.architecture !== image.expectedArchitecture) {
    return {
      evidence: [`built for ${image.architecture}, this kernel is ${image.expectedArchitecture}`],
      remedy: 'install or build the module for this architecture',
    };
  }
  const magics = /version magic '(.*)' should be '(.*)'/.exec(line ?? '');
  const found = image.vermagic ?? magics?.[1];
  const wanted = magics?.[2] ?? image.expectedVermagic;
  if (found !== undefined && wanted !== undefined && !sameMagic(found, wanted, image.hasVersions)) {
    return {
      evidence: [`version magic found:  ${quoted(found.trim())}`, `version magic wanted: ${quoted(wanted.trim())}`],
      remedy: rebuild(facts),
    };
  }
  const layout = image.mismatches.find(({ symbol }) => symbol === 'module_layout');
  if (layout !== undefined) {
    return {
      evidence: [
        `built for a kernel whose module_layout is ${crc(layout.wanted)}; here it is ${crc(layout.found)}`,
        ...said(line),
      ],
      remedy: rebuild(facts),
    };
  }
  if (image.vermagic === undefined && kernel !== undefined)
    return {
      evidence: ['it does not say for which kernel it was built (no vermagic)', ...said(line)],
      remedy: rebuild(facts),
    };
  return line === undefined ? undefined : { evidence: said(line), remedy: rebuild(facts) };
}

/** How to come by a module that fits. What lies in the tree's `kernel/` came with the kernel's own package. */
function rebuild({ module, image, kernel }: Facts): string {
  const release = kernel?.release ?? /^\S+/.exec(image?.expectedVermagic ?? '')?.[0];
  if (/\/lib\/modules\/[^/]+\/kernel\//.test(module.path))
    return `install the package of ${release === undefined ? "this kernel's" : `kernel ${release} and its`} modules again: this file is of another kernel`;
  return buildRemedy(release);
}

/** linux/vermagic.h: with versions of symbols the release, up to the first blank, does not count. */
function sameMagic(found: string, wanted: string, hasVersions: boolean): boolean {
  const compared = (text: string) => (hasVersions ? text.replace(/^[^ ]*/, '') : text).trim();
  return compared(found) === compared(wanted);
}

/** Built against other versions of symbols. */
export function otherVersions(facts: Facts): Explanation | undefined {
  const { image, logged } = facts;
  const line = logged(/disagrees about version of symbol/);
  const named = /disagrees about version of symbol (\S+)/.exec(line ?? '')?.[1];
  const mismatches = (image?.mismatches ?? []).toSorted(
    (a, b) => Number(b.symbol === named) - Number(a.symbol === named),
  );
  if (mismatches.length === 0 && line === undefined) return undefined;
  const shown = mismatches
    .slice(0, 4)
    .map(
      ({ symbol, wanted, found, provider }) => `${symbol}: built against ${crc(wanted)}, ${provider} has ${crc(found)}`,
    );
  const more =
    mismatches.length > shown.length ? [`${mismatches.length - shown.length} more symbols of other versions`] : [];
  return { evidence: [...shown, ...more, ...said(line)], remedy: rebuild(facts) };
}

function crc(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

/** Symbols that nothing loaded exports. */
export function unknownSymbols({ image, refusal }: Facts): Explanation | undefined {
  const lines = (refusal?.log ?? []).filter((line) => /Unknown symbol/.test(line));
  const missing = image?.missingSymbols ?? [];
  const named = new Set(lines.flatMap((line) => /Unknown symbol (\S+)/.exec(line)?.[1] ?? []));
  // An init of its own may answer ENOENT too.
  if (missing.length === 0 && lines.length === 0) return undefined;
  if (errnoIs(refusal, 'EINVAL') && lines.length === 0) return undefined;
  const known = new Set(missing.map(({ symbol }) => symbol));
  const unexplained = [...named].filter((symbol) => !known.has(symbol));
  const evidence = [
    ...providersInWords(missing),
    ...unexplained.map((symbol) => `${symbol}: not available to this module`),
    ...(unexplained.length > 0 ? lines : []).slice(0, 4).flatMap(said),
  ];
  return { evidence, remedy: symbolRemedy(missing) };
}

/** Every missing symbol, those of one provider in one sentence. */
function providersInWords(missing: readonly MissingSymbol[]): readonly string[] {
  const groups = new Map<string, MissingSymbol[]>();
  for (const each of missing) groups.set(each.provider ?? '', [...(groups.get(each.provider ?? '') ?? []), each]);
  return [...groups].map(([provider, symbols]) => {
    const names = symbols.map(({ symbol }) => symbol).join(', ');
    if (provider === '') return `no module exports ${names}, nor does the kernel`;
    const stale = symbols.some(({ inDep }) => !inDep) ? ', nor among its dependencies in modules.dep' : '';
    return `${provider} is not loaded${stale}; it exports ${names}`;
  });
}

function symbolRemedy(missing: readonly MissingSymbol[]): string | undefined {
  const providers = [...new Set(missing.flatMap(({ provider }) => provider ?? []))];
  if (missing.some(({ provider }) => provider === undefined)) {
    return 'the kernel was built without what it needs, or the module is for another kernel: install or build one that fits';
  }
  if (providers.length === 0) return undefined;
  const stale = missing.some(({ provider, inDep }) => provider !== undefined && !inDep);
  return stale
    ? `run depmod, then load it with modprobe, which loads ${providers.join(', ')} first`
    : `load ${providers.join(', ')} first: modprobe -a ${providers.join(' ')}`;
}

/** A value that a parameter does not take. */
export function badParameter({ image, refusal, logged, module }: Facts): Explanation | undefined {
  // The kernel also logs the parameters that it only ignores, and before this line.
  const line = logged(/ for parameter /) ?? logged(/expects no arguments|can only take|should be|parameter/i);
  const bad = (image?.badParameters ?? []).filter(({ kind }) => kind === 'value');
  if (bad.length === 0 && !/ for parameter /.test(line ?? '')) return undefined;
  if (refusal !== undefined && errnoIs(refusal, 'EPERM') && line === undefined) return undefined;
  const given = bad.map(({ name, value, type, place }) => {
    const text = value === undefined ? name : `${name}=${value}`;
    return `${text} is no value for a parameter of type ${type ?? 'unknown'}${place === undefined ? '' : ` (${placeText(place)})`}`;
  });
  return {
    evidence: [...given, ...said(line)],
    remedy: `correct the value; modinfo -p ${module.module} shows what it takes`,
  };
}
