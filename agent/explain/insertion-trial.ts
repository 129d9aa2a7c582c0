/** `plugd test --insert`: the one part of explain/ that changes the machine. */
import type { Host } from '../base/host.ts';
import { errnoName } from '../base/errno.ts';
import type { ModuleName } from '../base/names.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import { readKernelLog } from '../facts/kernel/kernel-log.ts';
import type { Insertion } from '../insert/insertion.ts';
import type { Step } from '../plan/plan.ts';
import { diagnose, type Diagnosis } from '../diagnosis/diagnosis.ts';
import { ending, type Ending } from '../records/ending.ts';
import { withCandidates, type CandidateReport, type RequestReport, type StepReport } from '../records/investigation.ts';
import { answer, fileAnswer } from '../load/answer.ts';
import { Examiner } from './examination.ts';
import { findSources, type Sources } from '../load/sources.ts';
import { runStep, succeeded, type StepEnd, type InsertionPlace } from '../load/step.ts';

/** The result for one module; `skipped`: a module that it needs failed, or was skipped. */
type Trial =
  | { readonly kind: 'inserted' | 'already-loaded' | 'command' }
  | { readonly kind: 'failed'; readonly diagnosis: Diagnosis | undefined }
  | { readonly kind: 'skipped'; readonly because: ModuleName };

type Trials = ReadonlyMap<ModuleName, Trial>;

/**
 * Inserts what was investigated, one module at a time, and says what happened. It diagnoses each refusal with what the kernel
 * logged during the call. It skips candidates that a rule blocks.
 */
export async function insertRequests(
  host: Host,
  sources: Sources,
  examiner: Examiner,
  requests: readonly RequestReport[],
): Promise<readonly RequestReport[]> {
  const trials = new Map<ModuleName, Trial>();
  const place = { root: host.root, kernelCompression: readKernelCompression(host.sysfs) };
  const before = new Set<ModuleName>();
  for (const { name, rule, file, candidates } of requests) {
    const answers =
      file !== undefined ? [fileAnswer(name, file.params)] : answer(sources, name, rule !== undefined).answers;
    for (const { plan, decision } of answers) {
      // The policy's verdict is about this device, so it is not among the rules that were asked.
      if (candidates.some(({ module, verdict }) => module === decision.candidate.module && verdict === 'denied'))
        continue;
      for (const step of plan?.steps ?? []) {
        if (trials.has(step.module) || step.state === 'live' || step.state === 'builtin') continue;
        const trial = await attempt(step, trials, place, examiner, before);
        trials.set(step.module, trial);
        if (trial.kind === 'inserted' || trial.kind === 'already-loaded') before.add(step.module);
      }
    }
  }
  return requests.map((request) =>
    withCandidates(
      request,
      request.candidates.map((candidate) => withTrials(candidate, trials)),
    ),
  );
}

async function attempt(
  step: Step,
  trials: Trials,
  place: InsertionPlace,
  examiner: Examiner,
  before: ReadonlySet<ModuleName>,
): Promise<Trial> {
  const failed = step.after.find(({ module, required }) => required && hasFailed(trials.get(module)));
  if (failed !== undefined) return { kind: 'skipped', because: failed.module };
  const sequence = lastLogged();
  const end = await runStep(step, place, () => {});
  if (succeeded(end)) return { kind: end.kind };
  return { kind: 'failed', diagnosis: explain(step, end, sequence, examiner, before) };
}

function hasFailed(trial: Trial | undefined): boolean {
  return trial?.kind === 'failed' || trial?.kind === 'skipped';
}

/** The number of the kernel's last message; undefined when its log cannot be read. */
export function lastLogged(): number | undefined {
  return readKernelLog()?.at(-1)?.sequence;
}

/** The diagnosis of a refusal, for callers with a plan of another kind; undefined when there is no module tree to explain it with. */
export function explainOnHost(
  host: Host,
  step: Pick<Step, 'module' | 'path' | 'origins'>,
  end: Insertion & { readonly kind: 'refused' },
  sequence: number | undefined,
): Diagnosis | undefined {
  const sources = findSources(host);
  return sources.kind === 'no-tree'
    ? undefined
    : diagnosisOf(step, end, sequence, new Examiner(host, sources), new Set());
}

/** The diagnosis of a step that just failed; `sequence`: the last message of the kernel's log before it. */
export function explain(
  step: Pick<Step, 'module' | 'path' | 'origins'>,
  end: StepEnd,
  sequence: number | undefined,
  examiner: Examiner,
  before: ReadonlySet<ModuleName>,
): Diagnosis | undefined {
  if (end.kind === 'command-failed') {
    return {
      cause: 'other',
      errno: undefined,
      evidence: [`its install command failed: ${end.why}`],
      remedy: 'correct the install line, or remove it',
    };
  }
  return end.kind === 'refused' ? diagnosisOf(step, end, sequence, examiner, before) : undefined;
}

function diagnosisOf(
  step: Pick<Step, 'module' | 'path' | 'origins'>,
  end: Insertion & { readonly kind: 'refused' },
  sequence: number | undefined,
  examiner: Examiner,
  before: ReadonlySet<ModuleName>,
): Diagnosis {
  const module = examiner.examine({ module: step.module, path: step.path, parameters: step.origins, before });
  const log = sequence === undefined ? [] : (readKernelLog(sequence) ?? []).map(({ text }) => text);
  return diagnose({
    module,
    kernel: examiner.kernel,
    config: examiner.config,
    refusal: {
      errno: end.errno,
      during: end.during,
      why: end.why,
      log: log.filter((text) => concerns(text, step.module)),
    },
  });
}

/** Whether a line of the kernel's log is about a module: by its name, or as the loader and lockdown write without one. */
export function concerns(text: string, module: ModuleName): boolean {
  const name = text.replaceAll('-', '_');
  return (
    name.startsWith(`${module}:`) ||
    name
      .split(`${module}.ko`)
      .slice(0, -1)
      .some((before) => !/\w$/.test(before)) ||
    name.includes(`'${module}'`) ||
    /^(Loading of |Lockdown: |LoadPin|ima: impossible to appraise |Module (?!\S+ is blacklisted)|module: |kmod: )/.test(
      text,
    ) ||
    name.includes(` ${module} `)
  );
}

/** The candidate as it is after the insertions. */
function withTrials(candidate: CandidateReport, trials: Trials): CandidateReport {
  const steps = candidate.steps.map((step): StepReport => {
    const trial = trials.get(step.module);
    if (trial === undefined) return step;
    return { ...step, result: trial.kind, refusal: trial.kind === 'failed' ? trial.diagnosis : undefined };
  });
  const own = trials.get(candidate.module);
  if (own === undefined) return { ...candidate, steps };
  const end = endingOf(candidate.module, own, trials);
  // A warning from before still applies.
  return { ...candidate, steps, ...end, evidence: own.kind === 'inserted' ? candidate.evidence : end.evidence };
}

const DONE = {
  inserted: (module: ModuleName) => ending('inserted', `${module} was inserted`),
  'already-loaded': (module: ModuleName) => ending('loaded', `${module} was loaded in the meantime`),
  command: () => ending('install-command', 'its install command has run'),
};

function endingOf(module: ModuleName, trial: Trial, trials: Trials): Ending {
  if (trial.kind !== 'failed' && trial.kind !== 'skipped') return DONE[trial.kind](module);
  const { culprit, diagnosis } = blamed(module, trial, trials);
  const { cause = 'other', evidence = [], remedy, errno } = diagnosis ?? {};
  const how = errno === undefined ? '' : ` with ${errnoName(errno)}`;
  if (trial.kind === 'failed') return ending('failed', `${module} was refused${how}`, { cause, evidence, remedy });
  const reason = `${module} needs ${culprit}, which was refused${how} (${cause})`;
  return ending('failed', reason, { cause: 'missing-dependency', evidence, remedy });
}

/** The module that caused this failure: itself, or the one that made it, and those between, be skipped. */
function blamed(
  module: ModuleName,
  trial: Trial,
  trials: Trials,
): { culprit: ModuleName; diagnosis?: Diagnosis | undefined } {
  if (trial.kind === 'failed') return { culprit: module, diagnosis: trial.diagnosis };
  const before = trial.kind === 'skipped' ? trials.get(trial.because) : undefined;
  if (trial.kind !== 'skipped' || before === undefined) return { culprit: module };
  return blamed(trial.because, before, trials);
}
