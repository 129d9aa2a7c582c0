/** What became of a module, put together from the plan, the scheduler and the kernel's answer. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { existsInRoot } from '../base/root.ts';
import { readKernelState } from '../facts/kernel/kernel-state.ts';
import type { Insertion } from '../insert/insertion.ts';
import type { TaskRecord } from '../insert/task.ts';
import type { Step } from '../plan/plan.ts';
import { causeOf, type Cause } from '../diagnosis/cause.ts';
import type { ModuleRecord, Requester } from '../records/coldplug-run.ts';
import type { Config } from '../rules/modprobe/config.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import type { StepEnd } from './step.ts';
import { sinceStart } from './turns.ts';

/** A step, and who wanted it first. */
export interface WantedStep {
  readonly step: Step;
  readonly requester: Requester;
}

/** What a record is made from besides. */
export interface RecordContext {
  readonly host: Host;
  readonly config: Config;
  /** The step of another module that is wanted. */
  wanted(module: ModuleName): Step | undefined;
}

type Result = Pick<ModuleRecord, 'result' | 'cause' | 'errno' | 'during' | 'detail'>;

/** The record of a wanted step; `task` is undefined in a dry run, where nothing is scheduled. */
export function moduleRecord(
  { step, requester }: WantedStep,
  task: TaskRecord<StepEnd> | undefined,
  context: RecordContext,
): ModuleRecord {
  const { module, path, params, why } = step;
  const base = { module, path, params, why, requester, ...(step.for === undefined ? {} : { for: step.for }) };
  if (task === undefined) return { ...base, ...prediction(step, context), waitedFor: [], addedMs: 0 };
  const call = task.outcome?.kind === 'ran' && 'call' in task.outcome.result ? task.outcome.result.call : undefined;
  return {
    ...base,
    ...outcome(step, task, context),
    waitedFor: task.waitedFor,
    addedMs: sinceStart(task.addedNs),
    ...(task.readyNs === undefined ? {} : { readyMs: sinceStart(task.readyNs) }),
    ...(task.startedNs === undefined ? {} : { startedMs: sinceStart(call?.startedNs ?? task.startedNs) }),
    ...(task.endedNs === undefined ? {} : { endedMs: sinceStart(call?.endedNs ?? task.endedNs) }),
  };
}

/** What a dry run can say before the kernel is asked: whether the file is there, and those of the modules it needs. */
function prediction(step: Step, context: RecordContext): Result {
  if (step.command !== undefined) return { result: 'planned' };
  if (!existsInRoot(context.host.root, step.path))
    return { result: 'failed', cause: 'missing-file', detail: step.path };
  for (const { module, required } of step.after) {
    const needed = required ? context.wanted(module) : undefined;
    if (needed !== undefined && prediction(needed, context).result !== 'planned') {
      return { result: 'skipped', cause: 'missing-dependency', detail: module };
    }
  }
  return { result: 'planned' };
}

function outcome(step: Step, task: TaskRecord<StepEnd>, context: RecordContext): Result {
  if (task.outcome === undefined) return { result: 'unfinished' };
  if (task.outcome.kind === 'skipped') {
    return { result: 'skipped', cause: 'missing-dependency', detail: task.outcome.because };
  }
  const end = task.outcome.result;
  if (end.kind === 'command-failed')
    return { result: 'failed', cause: 'other', detail: `its install command: ${end.why}` };
  if (end.kind !== 'refused') return { result: end.kind };
  return {
    result: 'failed',
    cause: cause(step, end, context),
    errno: end.errno,
    during: end.during,
    ...(end.why === undefined ? {} : { detail: end.why }),
  };
}

/** The cause as far as it can be told at once; what explains failures later reads the module's file. */
function cause(
  { module, path }: Step,
  { errno, during, why }: Extract<Insertion, { kind: 'refused' }>,
  { host, config }: RecordContext,
): Cause {
  return causeOf({
    module: { module, path, kernelBlacklist: ruleIndex(config).first('kernelBlacklists', module)?.place },
    refusal: { errno, during, why, log: [] },
    // Read only for errors that may be due to it.
    get kernel() {
      return readKernelState(host);
    },
  });
}
