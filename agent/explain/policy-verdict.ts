import type { Host } from '../base/host.ts';
import type { ModuleName, Place } from '../base/names.ts';
import { readText } from '../facts/attribute.ts';
import type { Device } from '../facts/devices/device.ts';
import { ending } from '../records/ending.ts';
import { withCandidates, type CandidateReport, type RequestReport, type RuleReport } from '../records/investigation.ts';
import { placeText } from '../base/words.ts';
import { judgePolicy, type Policy, type PolicyAnswer, type PolicyPhase } from '../rules/policy/policy.ts';
import { parsePolicy, type PolicyRead } from '../rules/policy/policy-text.ts';

/** The agent's policy of the host; undefined when there is none. One with errors is not used by the agent, nor here. */
export function readPolicy(host: Host): PolicyRead | undefined {
  const file = `${host.root}/etc/plugd/policy.conf`;
  const text = readText(file);
  return text === undefined ? undefined : parsePolicy({ file, text });
}

/** What the policy makes of a request of this device (undefined: of nobody's in particular): the agent asks it last. */
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
  // What is there already is not taken away.
  if (candidate.verdict === 'loaded' || candidate.verdict === 'builtin') return { ...candidate, rules };
  const denied = ending('denied', `the agent's policy denies it: ${denialText(atBoot)}`, {
    evidence: ask('after-boot').kind === 'allowed' ? ["after boot the agent's policy allows it"] : [],
    remedy: `change the policy and run plugd reload; modprobe ${module} loads it all the same`,
  });
  return { ...candidate, rules, ...denied };
}

/** Something that may ask for a module: a device, or the kernel, which has no subsystem and path. */
export interface Asker {
  readonly modalias: string;
  readonly subsystem?: string | undefined;
  readonly devpath?: string | undefined;
}

/** What the policy says of a way in: undefined when it stands in nobody's way, else to how many of those who ask it is denied. */
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
