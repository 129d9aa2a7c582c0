/** The verdict on one candidate, from rules, plan and foreseen refusals. Pure. */
import type { ModuleName } from '../base/names.ts';
import { placeText } from '../base/words.ts';
import { foreseenText } from '../diagnosis/cause.ts';
import type { BadParameter } from '../diagnosis/evidence.ts';
import type { Answer } from '../load/answer.ts';
import type { Blocked, Plan } from '../plan/plan.ts';
import { ending, type Ending } from '../records/ending.ts';
import type { StepReport } from '../records/investigation.ts';
import { doesNothing, type Decision } from '../rules/modprobe/decision.ts';

/** What happens to a candidate: the rules decide first, then the plan, then what the kernel would refuse. */
export function outcomeOf({ decision, plan }: Answer, steps: readonly StepReport[]): Ending {
  const { candidate, kind, reason } = decision;
  if (kind !== 'load' && kind !== 'install-command') return DECIDED[kind](decision);
  if (plan === undefined) return ending('no-match', '');
  const [blocked] = plan.blocked;
  if (blocked !== undefined) {
    return WITHOUT_PLAN[blocked.kind](blocked.reason + at(blocked), blocked.module === candidate.module);
  }
  const target = steps.find((step) => step.module === candidate.module);
  if (target === undefined || target.state === 'builtin') {
    return ending('builtin', `${candidate.module} is built into the kernel`);
  }
  if (target.state === 'live') return ending('loaded', `${candidate.module} is loaded`);
  if (kind === 'install-command') {
    return ending('install-command', `${reason}${at(decision)} runs: ${target.command ?? ''}`);
  }
  return stopped(plan, target, steps) ?? refused(target, steps) ?? wouldInsert(target, steps);
}

/** ` (/etc/modprobe.d/a.conf:3)`, or nothing. */
function at({ place }: Pick<Decision, 'place'>): string {
  return place === undefined ? '' : ` (${placeText(place)})`;
}

/** Outcomes before there is a plan: a rule decides, or the kernel itself. */
const DECIDED: Readonly<Record<Exclude<Decision['kind'], 'load' | 'install-command'>, (decision: Decision) => Ending>> =
  {
    builtin: ({ reason }) => ending('builtin', reason),
    blacklisted: (decision) =>
      ending('blacklisted', decision.reason + at(decision), {
        remedy: `remove that line, or load it by name: modprobe ${decision.candidate.module}`,
      }),
    denied: (decision) =>
      ending('denied', `${decision.reason}${at(decision)} keeps it out`, {
        remedy: `remove that line, or pass it over: modprobe -i ${decision.candidate.module}`,
      }),
    'kernel-blacklisted': (decision) =>
      ending('failed', decision.reason + at(decision), {
        cause: 'kernel-blacklist',
        remedy: "remove the name from the kernel's command line and reboot",
      }),
  };

/** Why the planner found no order; `own`: because of the target itself, not of something that it needs. */
const WITHOUT_PLAN: Readonly<Record<Blocked['kind'], (reason: string, own: boolean) => Ending>> = {
  'already-loaded': (reason) => ending('loaded', reason),
  cycle: (reason) =>
    ending('failed', reason, { cause: 'cycle', remedy: 'run depmod: it names the modules and writes no cycle' }),
  'kernel-blacklisted': (reason) => ending('failed', reason, { cause: 'kernel-blacklist' }),
  'missing-module': (reason, own) =>
    ending('failed', reason, {
      cause: own ? 'missing-file' : 'missing-dependency',
      remedy: 'install the module, or correct the alias; then run depmod',
    }),
};

/** Something that it needs has an install line that inserts nothing. */
function stopped(plan: Plan, target: StepReport, steps: readonly StepReport[]): Ending | undefined {
  const step = steps.find(({ required, command }) => required && command !== undefined && doesNothing(command));
  if (step === undefined) return undefined;
  const rule = plan.steps.find(({ module }) => module === step.module)?.command;
  return ending(
    'failed',
    `${target.module} needs ${step.module}, which its install line keeps out${rule === undefined ? '' : at(rule)}`,
    {
      cause: 'missing-dependency',
      evidence: [`it runs ${step.command ?? ''} instead of inserting ${step.module}`],
      remedy: 'remove that line',
    },
  );
}

/** The kernel would refuse it, or something that it needs. */
function refused(target: StepReport, steps: readonly StepReport[]): Ending | undefined {
  const step = steps.find(({ required, refusal }) => required && refusal !== undefined);
  if (step?.refusal === undefined) return undefined;
  const { cause, evidence, remedy } = step.refusal;
  return step === target
    ? ending('failed', foreseenText(cause, target.module), { cause, evidence, remedy })
    : ending('failed', `${target.module} needs ${step.module}, which cannot be loaded (${cause})`, {
        cause: 'missing-dependency',
        evidence,
        remedy,
      });
}

/** Nothing prevents it; warnings are its evidence. */
function wouldInsert(target: StepReport, steps: readonly StepReport[]): Ending {
  const others = steps.filter((step) => step !== target && step.state === 'absent').map(({ module }) => module);
  const few = others.length === 0 ? '' : `, with ${others.join(', ')}`;
  const after = others.length > 4 ? `, after ${others.length} modules that it needs` : few;
  return ending('would-insert', `${target.module} would be inserted${after}`, {
    evidence: [
      ...steps.flatMap(({ module, badParameters = [] }) => badParameters.map((bad) => unknownParameter(module, bad))),
      ...steps.flatMap(({ warnings = [] }) => warnings),
      ...firmwareText(target),
    ],
  });
}

function unknownParameter(module: ModuleName, { name, suggestion, place }: BadParameter): string {
  const where = place === undefined ? '' : ` (${placeText(place)})`;
  return `${module} has no parameter ${name}${where}: the kernel ignores it${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
}

function firmwareText({ module, missingFirmware = [] }: StepReport): readonly string[] {
  const [first, second] = missingFirmware;
  if (first === undefined) return [];
  const more = missingFirmware.length > 2 ? ` and ${missingFirmware.length - 2} more` : '';
  return [
    `${module} may ask for firmware, and nothing of what it names is there: ${first}${second === undefined ? '' : `, ${second}`}${more}`,
  ];
}
