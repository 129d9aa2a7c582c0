/** `plugd why` for one module. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { moduleFile, moduleName, type ModuleName, moduleNameFromPath } from '../../base/names.ts';
import { nearestWord } from '../../base/spelling.ts';
import { readAttribute, readNames } from '../../facts/attribute.ts';
import { readLoadedModules } from '../../facts/kernel/kernel-state.ts';
import { modinfoValue } from '../../facts/modfiles/modinfo.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import { readBoundDevices } from '../../facts/devices/bound-device.ts';
import { readModuleTaints } from '../../facts/kernel/taint.ts';
import { nameOf } from '../../dkms/tree/dkms-places.ts';
import { createMatcher, parseDepLine } from '../../match/matcher.ts';
import type { AskingDevice, OwnPackage, PresentState, Reasons } from '../../records/reasons.ts';
import { answer } from '../../load/answer.ts';
import { packageOf } from '../dkms/out-of-tree.ts';
import { readinessRemedy, readinessText } from '../dkms/readiness-words.ts';
import { Investigator } from '../investigation.ts';
import { rulesOf } from '../rule-search.ts';
import { openSources, type Sources } from '../../load/sources.ts';
import { DIRECTIVES } from '../../rules/modprobe/directives.ts';
import { configuredNames } from '../../rules/modprobe/merged-config.ts';
import { redirectionOfAll } from '../../rules/modprobe/redirection.ts';
import { waysIn } from './ways-in.ts';

/**
 * Everything about a module by its name (`snd-hda-intel`, `snd_hda_intel`) or file name, without the ledger, which the agent keeps.
 * Errors: `no-modules-directory`; `usage` when the word is not a name.
 */
export function reasonsFor(host: Host, word: string): Omit<Reasons, 'ledger'> {
  if (word.includes(':')) {
    throw new PlugdError('usage', `${word} is not a module's name`, {
      remedy: `plugd test '${word}' says what it leads to`,
    });
  }
  const sources = openSources(host);
  const { module, aliasOf } = resolved(host, sources, word);
  const state = presentState(host, sources, module);
  const base = { asked: word, module, kernel: host.kernel, moduleDir: host.moduleDir, state };
  const neededBy = usersOf(sources, module);
  const aliases = aliasesOf(sources, module);
  const own = byOwnName(sources);
  const report = new Investigator({ host, sources: own, deep: true })
    .name(module)
    .candidates.find((candidate) => candidate.module === module);
  const step = report?.steps.find((each) => each.module === module);
  const found = sources.matcher.dependencies(module);
  const path = found === undefined ? undefined : moduleFile(host, found.path);
  const needs = (found?.depends ?? []).map((each) => moduleNameFromPath(each));
  const devices = devicesOf(host, sources, module);
  const built = ownPackage(host, module);
  const description = path === undefined ? undefined : descriptionOf(host.root, path);
  return {
    ...base,
    ...(aliasOf === undefined ? {} : { aliasOf }),
    ...(path === undefined ? {} : { path }),
    ...(description === undefined ? {} : { description }),
    devices,
    neededBy,
    aliases,
    rules: rules(own, module, aliases),
    idleOptions: report?.verdict === 'loaded' ? report.evidence : [],
    ways:
      state.kind === 'builtin' || state.kind === 'unknown-module'
        ? []
        : waysIn({ host, sources, module, aliases, neededBy, needs, devices, onDisk: path !== undefined }),
    ...(built === undefined ? {} : { dkms: built }),
    ...(step?.refusal === undefined ? {} : { refusal: step.refusal }),
    ...(state.kind === 'unknown-module' ? { suggestion: suggest(sources, module) } : {}),
  };
}

/** A module by its name or file; or the first one that an alias (`fs-ext4`) stands for, with all of them. */
function resolved(
  host: Host,
  { matcher }: Sources,
  word: string,
): { readonly module: ModuleName; readonly aliasOf?: readonly ModuleName[] } {
  const module = word.includes('/') || /\.ko(\.|$)/.test(word) ? moduleNameFromPath(word) : moduleName(word);
  if (matcher.dependencies(module) !== undefined || matcher.isBuiltin(module)) return { module };
  if (readLoadedModules(host)?.has(module) === true) return { module };
  const lookup = matcher.lookup(word);
  const found = lookup.kind === 'found' ? lookup.candidates.map((candidate) => candidate.module) : [];
  const [first] = found;
  return first === undefined || first === module ? { module } : { module: first, aliasOf: found };
}

function ownPackage(host: Host, module: ModuleName): OwnPackage | undefined {
  const found = packageOf(host, module);
  if (found === undefined) return undefined;
  const remedy = readinessRemedy(found, host.kernel);
  return {
    name: nameOf(found.module),
    state: found.readiness,
    because: readinessText(found),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function presentState(host: Host, sources: Sources, module: ModuleName): PresentState {
  const folder = `${host.sysfs}/module/${module}`;
  const loaded = readLoadedModules(host)?.get(module);
  const holders = readNames(`${folder}/holders`) as readonly ModuleName[];
  const users = Number(readAttribute(`${folder}/refcnt`) ?? Number.NaN);
  const taint = readModuleTaints(host).get(module);
  const common = { holders, ...(Number.isNaN(users) ? {} : { users }), ...(taint === undefined ? {} : { taint }) };
  if (loaded !== undefined) return { kind: loaded, ...common };
  if (sources.matcher.isBuiltin(module)) return { kind: 'builtin', holders: [] };
  const lookup = sources.matcher.lookup(module);
  const known = sources.matcher.dependencies(module) !== undefined || lookup.kind === 'found';
  return { kind: known ? 'absent' : 'unknown-module', holders: [] };
}

function usersOf({ tree }: Sources, module: ModuleName): readonly ModuleName[] {
  const users: ModuleName[] = [];
  for (const { key, value } of tree.indexes.dep?.entries() ?? []) {
    if (parseDepLine(value)?.depends.some((path) => moduleNameFromPath(path) === module) === true)
      users.push(key as ModuleName);
  }
  return users.toSorted();
}

function aliasesOf({ tree, config }: Sources, module: ModuleName): readonly string[] {
  const patterns = new Set<string>();
  for (const rule of config.aliases) if (rule.module === module) patterns.add(rule.pattern);
  for (const index of [tree.indexes.aliases, tree.indexes.builtinAliases]) {
    for (const { key, value } of index?.entries() ?? []) if (moduleName(value) === module) patterns.add(key);
  }
  return [...patterns];
}

function devicesOf(host: Host, sources: Sources, module: ModuleName): readonly AskingDevice[] {
  const investigator = new Investigator({ host, sources, deep: false });
  const asking: AskingDevice[] = [];
  for (const device of readBoundDevices(host.sysfs)) {
    const driven = device.driverModule === module;
    for (const { name, candidates } of investigator.device(device)) {
      const candidate = candidates.find((each) => each.module === module);
      if (candidate === undefined) continue;
      const { devpath, subsystem, driver } = device;
      asking.push({
        devpath,
        subsystem,
        name: device.name,
        asks: name,
        pattern: candidate.pattern,
        ...(driver === undefined ? {} : { driver }),
        driven,
      });
      break;
    }
  }
  return asking;
}

/**
 * The rules that concern it: `alias` lines that lead its names elsewhere, and what counts for a device that requests it by alias, or
 * by name if it has none.
 */
function rules(own: Sources, module: ModuleName, aliases: readonly string[]): Reasons['rules'] {
  const [first] = answer(own, module, false).answers;
  if (first === undefined || first.decision.candidate.module !== module) return [];
  const source =
    aliases.length > 0 && first.decision.candidate.source === 'modules.dep'
      ? 'modules.alias'
      : first.decision.candidate.source;
  const candidate = { ...first.decision.candidate, source };
  const { text } = DIRECTIVES.aliases;
  const away = redirectionOfAll(own.config, [module, ...aliases], module).rules;
  return [
    ...away.map((rule) => ({ kind: 'alias', text: text(rule), place: rule.place, applied: true })),
    ...rulesOf(own.config, candidate, module, first).filter((rule) => rule.text !== undefined),
  ];
}

/** The same sources for questions about the module itself, whatever `alias` lines make of its name. */
function byOwnName(sources: Sources): Sources {
  const { commands } = configuredNames(sources.config);
  return { ...sources, matcher: createMatcher(sources.tree.indexes, { aliases: [], commands }) };
}

function descriptionOf(root: string, path: string): string | undefined {
  const file = openModuleFile(root, path);
  if (file.kind !== 'module') return undefined;
  try {
    return modinfoValue(file.modinfo, 'description');
  } finally {
    file.close();
  }
}

function suggest({ tree }: Sources, module: ModuleName): string | undefined {
  return nearestWord(
    module,
    [...(tree.indexes.dep?.entries() ?? []), ...(tree.indexes.builtin?.entries() ?? [])].map(({ key }) => key),
  );
}
