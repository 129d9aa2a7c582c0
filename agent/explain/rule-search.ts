import { lookupKey } from '../base/names.ts';
import type { Candidate } from '../match/candidate.ts';
import type { RuleReport } from '../records/investigation.ts';
import { counted } from '../base/words.ts';
import type { Config } from '../rules/modprobe/config.ts';
import { isThroughAlias } from '../rules/modprobe/decision.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import type { Answer } from '../load/answer.ts';

/** Each kind of rule that could have changed what becomes of a candidate: the lines that did, or that none is there. */
export function rulesOf(
  config: Config,
  candidate: Candidate,
  name: string,
  { decision, plan }: Answer,
): readonly RuleReport[] {
  const { module } = candidate;
  const rules = ruleIndex(config);
  const reports: RuleReport[] = [];
  const none = (kind: string, all: readonly unknown[]) =>
    reports.push({
      kind,
      applied: false,
      remark: all.length === 0 ? 'no such rule anywhere' : `${counted(all.length, 'rule')}, none for it`,
    });

  if (candidate.source === 'config-alias' && candidate.place !== undefined) {
    reports.push({
      kind: 'alias',
      text: `alias ${candidate.pattern} ${module}`,
      place: candidate.place,
      applied: true,
    });
  } else {
    none('alias', config.aliases);
  }

  const blacklist = rules.blacklist(module);
  if (blacklist === undefined) none('blacklist', config.blacklists);
  else {
    const applied = decision.kind === 'blacklisted';
    const remark = applied
      ? undefined
      : decision.kind === 'builtin'
        ? 'no effect: it is built in'
        : 'no effect: it was asked for by its own name';
    reports.push({ kind: 'blacklist', text: `blacklist ${module}`, place: blacklist.place, applied, remark });
  }

  const kernel = rules.kernelBlacklist(module);
  if (kernel === undefined) none('module_blacklist=', config.kernelBlacklists);
  else
    reports.push({ kind: 'module_blacklist=', text: `module_blacklist=${module}`, place: kernel.place, applied: true });

  const install = rules.install(module);
  if (install === undefined) none('install', config.installs);
  else {
    const applied = decision.kind === 'install-command' || decision.kind === 'denied';
    const text = `install ${install.pattern} ${install.command}`;
    const remark = applied
      ? undefined
      : decision.kind === 'load'
        ? 'no effect: modprobe ignores it for a module with softdeps'
        : undefined;
    reports.push({ kind: 'install', text, place: install.place, applied, remark });
  }

  const alias = !isThroughAlias(candidate)
    ? undefined
    : candidate.source === 'config-alias'
      ? candidate.pattern
      : lookupKey(name);
  const options = rules.options(module, alias);
  if (options.length === 0) none('options', config.options);
  for (const rule of options) {
    const builtin = decision.kind === 'builtin';
    const remark = builtin
      ? `no effect: it is built in; use ${module}.PARAMETER= on the kernel's command line`
      : undefined;
    reports.push({
      kind: 'options',
      text: `options ${rule.module} ${rule.text}`,
      place: rule.place,
      applied: !builtin && plan !== undefined,
      remark,
    });
  }

  const softdep = rules.softdep(module);
  if (softdep === undefined) none('softdep', config.softdeps);
  else {
    const text = `softdep ${softdep.pattern}${list('pre', softdep.pre)}${list('post', softdep.post)}`;
    const empty = softdep.pre.length + softdep.post.length === 0;
    reports.push({
      kind: 'softdep',
      text,
      place: softdep.place,
      applied: plan !== undefined && !empty,
      remark: empty ? 'it names nothing' : undefined,
    });
  }
  return reports;
}

function list(word: string, members: readonly string[]): string {
  return members.length === 0 ? '' : ` ${word}: ${members.join(' ')}`;
}
