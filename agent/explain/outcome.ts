import type { ModuleName } from '../base/names.ts';
import type { Cause } from '../diagnosis/cause.ts';
import type { BadParameter } from '../diagnosis/evidence.ts';
import type { StepReport } from '../records/investigation.ts';
import type { Verdict } from '../diagnosis/verdict.ts';
import { placeText } from '../base/words.ts';
import { doesNothing } from '../rules/modprobe/decision.ts';
import type { Answer } from '../load/answer.ts';

/** A verdict and why. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly cause?: Cause | undefined;
  readonly reason: string;
  readonly evidence: readonly string[];
  readonly remedy?: string | undefined;
}

const BLOCKED_CAUSES = {
  cycle: 'cycle',
  'kernel-blacklisted': 'kernel-blacklist',
  'missing-module': 'missing-file',
} as const;

/** What becomes of a candidate, in the word of a verdict with what goes with it. */
export function outcomeOf({ decision, plan }: Answer, steps: readonly StepReport[]): Outcome {
  const { candidate, reason, place } = decision;
  const at = place === undefined ? '' : ` (${placeText(place)})`;
  const none = { evidence: [] };
  switch (decision.kind) {
    case 'builtin':
      return { verdict: 'builtin', reason, ...none };
    case 'blacklisted':
      return {
        verdict: 'blacklisted',
        reason: reason + at,
        ...none,
        remedy: `remove that line, or load it by name: modprobe ${candidate.module}`,
      };
    case 'denied':
      return {
        verdict: 'denied',
        reason: `${reason}${at} keeps it out`,
        ...none,
        remedy: `remove that line, or pass it over: modprobe -i ${candidate.module}`,
      };
    case 'kernel-blacklisted':
      return {
        verdict: 'failed',
        cause: 'kernel-blacklist',
        reason: reason + at,
        ...none,
        remedy: "remove the name from the kernel's command line and reboot",
      };
    case 'install-command':
    case 'load':
      break;
  }
  if (plan === undefined) return { verdict: 'no-match', reason: '', ...none };
  const [blocked] = plan.blocked;
  if (blocked !== undefined) {
    const own = blocked.module === candidate.module;
    const cause = blocked.kind === 'already-loaded' ? undefined : BLOCKED_CAUSES[blocked.kind];
    const where = blocked.place === undefined ? '' : ` (${placeText(blocked.place)})`;
    const missing = blocked.kind === 'missing-module';
    return {
      verdict: cause === undefined ? 'loaded' : 'failed',
      cause: missing && !own ? 'missing-dependency' : cause,
      reason: blocked.reason + where,
      ...none,
      remedy: missing
        ? 'install the module, or correct the alias; then run depmod'
        : blocked.kind === 'cycle'
          ? 'run depmod: it names the modules and writes no circle'
          : undefined,
    };
  }
  const target = steps.find((step) => step.module === candidate.module);
  if (target === undefined || target.state === 'builtin')
    return { verdict: 'builtin', reason: `${candidate.module} is built into the kernel`, ...none };
  if (target.state === 'live') return { verdict: 'loaded', reason: `${candidate.module} is loaded`, ...none };
  if (decision.kind === 'install-command')
    return { verdict: 'install-command', reason: `${reason}${at} runs: ${target.command ?? ''}`, ...none };
  const stopped = steps.find(({ required, command }) => required && command !== undefined && doesNothing(command));
  if (stopped !== undefined) {
    const rule = plan.steps.find(({ module }) => module === stopped.module)?.command?.place;
    const where = rule === undefined ? '' : ` (${placeText(rule)})`;
    return {
      verdict: 'failed',
      cause: 'missing-dependency',
      reason: `${target.module} needs ${stopped.module}, which its install line keeps out${where}`,
      evidence: [`it runs ${stopped.command ?? ''} instead of inserting ${stopped.module}`],
      remedy: 'remove that line',
    };
  }
  const refused = steps.find((step) => step.required && step.refusal !== undefined);
  if (refused?.refusal !== undefined) {
    const { cause, evidence, remedy } = refused.refusal;
    if (refused === target)
      return { verdict: 'failed', cause, reason: `the kernel would refuse ${target.module}`, evidence, remedy };
    return {
      verdict: 'failed',
      cause: 'missing-dependency',
      reason: `${target.module} needs ${refused.module}, which cannot be loaded (${cause})`,
      evidence,
      remedy,
    };
  }
  const others = steps.filter((step) => step !== target && step.state === 'absent').map((step) => step.module);
  const after =
    others.length === 0
      ? ''
      : others.length > 4
        ? `, after ${others.length} modules that it needs`
        : `, with ${others.join(', ')}`;
  const evidence = [
    ...steps.flatMap((step) => (step.badParameters ?? []).map((bad) => unknownParameter(step.module, bad))),
    ...firmwareText(target),
  ];
  return { verdict: 'would-insert', reason: `${target.module} would be inserted${after}`, evidence };
}

function unknownParameter(module: ModuleName, { name, suggestion, place }: BadParameter): string {
  const at = place === undefined ? '' : ` (${placeText(place)})`;
  return `${module} has no parameter ${name}${at}: the kernel ignores it${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
}

function firmwareText({ module, missingFirmware = [] }: StepReport): readonly string[] {
  const [first, second] = missingFirmware;
  if (first === undefined) return [];
  const more = missingFirmware.length > 2 ? ` and ${missingFirmware.length - 2} more` : '';
  return [
    `${module} may ask for firmware, and nothing of what it names is there: ${first}${second === undefined ? '' : `, ${second}`}${more}`,
  ];
}
