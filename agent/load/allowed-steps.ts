/** Applies the agent's policy to a plan. Pure; answer.ts and the rules decide first. */
import type { ModuleName } from '../base/names.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { BlockedRecord, Requester } from '../records/coldplug-run.ts';
import type { PolicyAnswer, PolicySubject } from '../rules/policy/policy.ts';

/** The policy's answer for a module and what it needs. */
export type Judge = (subject: PolicySubject, needs: readonly ModuleName[]) => PolicyAnswer;

/** What the policy leaves of a plan; `denial` when it denies the target, and then there are no steps. */
export interface AllowedSteps {
  readonly steps: readonly Step[];
  readonly denial?: BlockedRecord;
}

/**
 * The steps of a plan that the policy allows: none when it denies the target, all but the softdeps that it denies by name and what
 * needs one of these.
 */
export function allowedSteps(plan: Plan, requester: Requester, judge: Judge | undefined): AllowedSteps {
  if (judge === undefined || plan.steps.length === 0) return { steps: plan.steps };
  const { devpath, subsystem, name } = requester;
  const subject = { modalias: name, subsystem, device: devpath, module: plan.target };
  const needs = plan.steps.filter((step) => step.required && step.module !== plan.target);
  const own = judge(
    subject,
    needs.map((step) => step.module),
  );
  if (own.kind === 'denied') {
    const reason = own.module === plan.target ? own.text : `${own.text}: it needs ${own.module}`;
    return { steps: [], denial: { module: plan.target, kind: 'denied', reason, place: own.place, requester } };
  }
  // A step comes after everything it needs.
  const denied = new Set<ModuleName>();
  const steps = plan.steps.filter((step) => {
    if (step.required) return true;
    const allowed =
      !step.after.some(({ module, required }) => required && denied.has(module)) &&
      judge(subject, [step.module]).kind === 'allowed';
    if (!allowed) denied.add(step.module);
    return allowed;
  });
  return { steps };
}
