/** Every way in which a module can come to be loaded. Reads only. */
import type { Host } from '../../base/host.ts';
import { lookupKey, moduleName, type ModuleName, type Place } from '../../base/names.ts';
import { readInitramfs } from '../../facts/initramfs/initramfs.ts';
import type { AskingDevice, WayIn } from '../../records/reasons.ts';
import { counted, listed } from '../../base/words.ts';
import { emptyConfig } from '../../rules/modprobe/config.ts';
import { parseModprobeConf } from '../../rules/modprobe/modprobe-conf.ts';
import { policyDenials, readPolicy, type Asker } from '../policy-verdict.ts';
import type { Sources } from '../../load/sources.ts';
import { bootListWay } from './boot-list-way.ts';
import {
  answerAsDependency,
  answerByNames,
  answerFor,
  answerOfKernel,
  candidateOf,
  type NameRules,
} from './rule-answers.ts';

/** The facts that decide about the ways. */
export interface WaysInput {
  readonly host: Host;
  readonly sources: Sources;
  readonly module: ModuleName;
  readonly aliases: readonly string[];
  readonly neededBy: readonly ModuleName[];
  /** The tree has a file of it. */
  readonly onDisk: boolean;
  /** The modules that it needs. */
  readonly needs: readonly ModuleName[];
  /** The devices that request it. */
  readonly devices: readonly AskingDevice[];
}

/**
 * Every way in which the module could be loaded, each with its answer: `blacklist`, `install` and `module_blacklist=` cover different
 * ways, and neither of the first two covers insmod or an initramfs made before they were written.
 */
export function waysIn(input: WaysInput): readonly WayIn[] {
  const { sources, module, aliases, neededBy, host, devices } = input;
  const { config, matcher } = sources;
  const rules: NameRules = {
    config,
    has: (name) => matcher.dependencies(name) !== undefined || matcher.isBuiltin(name),
  };
  const requested = aliases.filter((pattern) => isRequest(pattern));
  const announced = aliases.filter((pattern) => !isRequest(pattern));
  const byAlias = (way: string, patterns: readonly string[]): WayIn =>
    patterns.length > 0
      ? { way, ...answerByNames(rules, module, patterns, answerFor(config, module, 'modules.alias', false)) }
      : { way, answer: 'no-way', because: 'it has no such alias' };
  const byName = (way: string, useBlacklist: boolean): WayIn => {
    const found = answerFor(config, module, 'modules.dep', useBlacklist);
    return { way, ...answerByNames(rules, module, [module], found) };
  };
  const policed = underPolicy(input);
  const ways: readonly WayIn[] = [
    policed(
      byAlias('a device, by its MODALIAS', announced),
      devices.map(({ asks, subsystem, devpath }) => ({ modalias: asks, subsystem, devpath })),
    ),
    policed(
      byAlias('the kernel asks, by an alias', requested),
      requested.map((modalias) => ({ modalias })),
    ),
    policed(byName('the kernel asks, by its name', false), [{ modalias: module }]),
    byName(`modprobe ${module}`, false),
    byName(`modprobe -b ${module}, udev rules`, true),
    neededBy.length > 0
      ? { way: 'another module needs it', ...answerAsDependency(config, module) }
      : { way: 'another module needs it', answer: 'no-way', because: 'none does' },
    bySoftdep(sources, rules, module),
    bootListWay({ host, sources, module, aliases, rules }),
    { way: 'insmod FILE', ...answerOfKernel(config, module) },
    initramfs(host, module, aliases),
  ];
  if (input.onDisk) return ways;
  // A module without a file here can only come from an install command, insmod or an initramfs.
  return ways.map((way, i) =>
    way.answer === 'allowed' && i < ways.length - 2
      ? { way: way.way, answer: 'no-way', because: 'this tree does not have it' }
      : way,
  );
}

/** A softdep line of another module names it; that name is looked up, so `alias` lines count. */
function bySoftdep(sources: Sources, rules: NameRules, module: ModuleName): WayIn {
  const way = 'softdep of another module';
  const { config } = sources;
  const members = config.softdeps.flatMap(({ pre, post, place }) =>
    [...pre, ...post].map((member) => ({ member: lookupKey(member) ?? member, place })),
  );
  const leading =
    members.find(({ member }) => candidateOf(sources, member, module) !== undefined) ??
    members.find(({ member }) => moduleName(member) === module);
  if (leading === undefined) return { way, answer: 'no-way', because: 'no line names it' };
  const answer = answerByNames(rules, module, [leading.member], answerAsDependency(config, module));
  return { way, ...answer, place: answer.place ?? leading.place };
}

/** The verdict of the agent's policy on a way that leads through the agent. */
function underPolicy({ host, module, needs }: WaysInput): (way: WayIn, askers: readonly Asker[]) => WayIn {
  const read = readPolicy(host);
  if (read?.kind !== 'policy') return (way) => way;
  return (way, askers) => {
    const found = way.answer === 'allowed' ? policyDenials(read.policy, module, needs, askers) : undefined;
    if (found === undefined) return way;
    const { denied, text, place } = found;
    const all = denied === askers.length;
    const because = all ? `policy: ${text}` : `but to ${counted(denied, 'device')} of ${askers.length}: ${text}`;
    return { way: way.way, answer: all ? 'blocked' : 'allowed', because, ...(place === undefined ? {} : { place }) };
  };
}

/** Aliases that request_module() uses, not buses. */
function isRequest(pattern: string): boolean {
  return !pattern.includes(':') || /^(symbol|devname):/.test(pattern);
}

/** The initramfs has its own modules and rules, from the time it was made. */
function initramfs(host: Host, module: ModuleName, aliases: readonly string[]): WayIn {
  const way = 'the initramfs';
  const image = readInitramfs(host);
  if (image.kind === 'none') {
    return image.others.length === 0
      ? { way, answer: 'no-way', because: 'there is none for this kernel' }
      : { way, answer: 'unknown', because: `none has a name that tells this kernel; there is ${listed(image.others)}` };
  }
  if (image.kind === 'unreadable') return { way, answer: 'unknown', because: `${image.file}: ${image.why}` };
  if (!image.modules.has(module)) return { way, answer: 'no-way', because: 'it does not have the module' };
  const config = emptyConfig();
  for (const text of image.config) parseModprobeConf(text, config);
  const rules: NameRules = { config, has: (name) => image.modules.has(name) };
  const names = aliases.length > 0 ? aliases : [module];
  const answer = answerByNames(rules, module, names, answerFor(config, module, 'modules.alias', false));
  const inside = (place: Place | undefined) =>
    place === undefined ? undefined : { ...place, file: `${image.file}:${place.file}` };
  if (answer.answer !== 'allowed') return { way, ...answer, place: inside(answer.place) };
  return { way, answer: 'allowed', because: 'its copy has the module and no rule against it' };
}
