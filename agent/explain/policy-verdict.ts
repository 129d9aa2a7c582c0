/** The agent's policy as diagnostics see it. Reads the policy; changes nothing. */
import type { Host } from '../base/host.ts';
import type { ModuleName, Place } from '../base/names.ts';
import { readTextIn } from '../facts/regular-file.ts';
import type { Device } from '../facts/devices/device.ts';
import { ending } from '../records/ending.ts';
import { withCandidates, type CandidateReport, type RequestReport, type RuleReport } from '../records/investigation.ts';
import { placeText } from '../base/words.ts';
import { judgePolicy, type Policy, type PolicyAnswer, type PolicyPhase } from '../rules/policy/policy.ts';
import { parsePolicy, type PolicyRead } from '../rules/policy/policy-text.ts';

/** The agent's policy on the host; undefined when there is none. The agent does not use one with errors, and neither does this. */
export function readPolicy(host: Host): PolicyRead | undefined {
  const file = `${host.root}/etc/plugd/policy.conf`;
  const text = readTextIn(host.root, file);
  return text === undefined ? undefined : parsePolicy({ file, text });
}

/** The policy's effect on a request of this device (undefined: no particular one); the agent asks the policy last. */
export function underPolicy(policy: Policy, request: RequestReport, device: Device | undefined): RequestReport {
  const candidates = request.candidates.map((candidate) => judged(policy, request, candidate, device));
  return withCandidates(request, candidates);
}

function judged(
  policy: Policy,
  request: RequestReport,
  candidate: CandidateReport,
  device: Device | undefined,
): CandidateReport {
  const { module, steps } = candidate;
  if (steps.length === 0) return candidate;
  const subject = { modalias: request.name, subsystem: device?.subsystem ?? '', device: device?.devpath ?? '', module };
  const needs = steps.filter((step) => step.required && step.module !== module).map((step) => step.module);
  const ask = (phase: PolicyPhase) => judgePolicy(policy, subject, needs, phase);
  const atBoot = ask('boot');
  if (atBoot.kind === 'allowed') {
    const later = ask('after-boot');
    if (later.kind === 'allowed') return candidate;
    const rule: RuleReport = { ...ruleOf(later), applied: false, remark: 'holds after boot only' };
    return {
      ...candidate,
      rules: [...candidate.rules, rule],
      evidence: [...candidate.evidence, `after boot the agent's policy denies it: ${denialText(later)}`],
    };
  }
  const rules = [...candidate.rules, { ...ruleOf(atBoot), applied: true }];
  // The policy does not remove loaded modules.
  if (candidate.verdict === 'loaded' || candidate.verdict === 'builtin') return { ...candidate, rules };
  const denied = ending('denied', `the agent's policy denies it: ${denialText(atBoot)}`, {
    evidence: ask('after-boot').kind === 'allowed' ? ["after boot the agent's policy allows it"] : [],
    remedy: `change the policy and run plugd reload; modprobe ${module} still loads it`,
  });
  return { ...candidate, rules, ...denied };
}

/** A requester of a module: a device, or the kernel, which has no subsystem and path. */
export interface Asker {
  readonly modalias: string;
  readonly subsystem?: string | undefined;
  readonly devpath?: string | undefined;
}

/** The policy's effect on a way in: undefined when it blocks nobody, else how many of those who use it are denied. */
export function policyDenials(
  policy: Policy,
  module: ModuleName,
  needs: readonly ModuleName[],
  askers: readonly Asker[],
): { readonly denied: number; readonly text: string; readonly place: Place | undefined } | undefined {
  const denials = askers.flatMap(({ modalias, subsystem = '', devpath = '' }) => {
    const answer = judgePolicy(policy, { modalias, subsystem, device: devpath, module }, needs, 'boot');
    return answer.kind === 'denied' ? [answer] : [];
  });
  const [first] = denials;
  return first === undefined ? undefined : { denied: denials.length, text: first.text, place: first.place };
}

type Denial = Extract<PolicyAnswer, { kind: 'denied' }>;

function ruleOf({ text, place }: Denial): Omit<RuleReport, 'applied'> {
  return { kind: 'policy', text, place };
}

function denialText({ text, place, module }: Denial): string {
  const at = place === undefined ? '' : ` (${placeText(place)})`;
  return `${text}${at}${text.includes('module=') ? `, for ${module}` : ''}`;
}
