import type { Host } from '../base/host.ts';
import { errnoName } from '../base/errno.ts';
import type { ModuleName } from '../base/names.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import { readKernelLog } from '../facts/kernel/kernel-log.ts';
import type { Insertion } from '../insert/insertion.ts';
import type { Step } from '../plan/plan.ts';
import { diagnose, type Diagnosis } from '../diagnosis/diagnosis.ts';
import type { CandidateReport, RequestReport, StepReport } from '../records/investigation.ts';
import { foremost } from '../diagnosis/verdict.ts';
import { answer, fileAnswer } from '../load/answer.ts';
import { Examiner } from './examination.ts';
import { findSources, type Sources } from '../load/sources.ts';
import { runStep, succeeded, type StepEnd } from '../load/step.ts';

/** What came of one module. */
interface Trial {
  readonly result: NonNullable<StepReport['result']>;
  readonly diagnosis?: Diagnosis | undefined;
  /** The module that failed before it. */
  readonly because?: ModuleName | undefined;
}

/**
 * Inserts what was investigated, one module after the other, and says what happened: each refusal is diagnosed with what the
 * kernel logged during the call. Candidates that a rule keeps out are left out here too.
 */
export async function insertRequests(
  host: Host,
  sources: Sources,
  examiner: Examiner,
  requests: readonly RequestReport[],
): Promise<readonly RequestReport[]> {
  const trials = new Map<ModuleName, Trial>();
  const compression = readKernelCompression(host.sysfs);
  const before = new Set<ModuleName>();
  for (const { name, rule, file, candidates } of requests) {
    const answers =
      file !== undefined ? [fileAnswer(name, file.params)] : answer(sources, name, rule !== undefined).answers;
    for (const { plan, decision } of answers) {
      // The policy's word is about this device, so it is not among the rules that were asked.
      if (candidates.some(({ module, verdict }) => module === decision.candidate.module && verdict === 'denied'))
        continue;
      for (const step of plan?.steps ?? []) {
        if (trials.has(step.module) || step.state === 'live' || step.state === 'builtin') continue;
        const trial = await attempt(step, trials, compression, examiner, before);
        trials.set(step.module, trial);
        if (trial.result === 'inserted' || trial.result === 'already-loaded') before.add(step.module);
      }
    }
  }
  return requests.map((request) => {
    const candidates = request.candidates.map((candidate) => withTrials(candidate, trials));
    const first = foremost(candidates);
    if (first === undefined) return request;
    return { ...request, candidates, verdict: first.verdict, cause: first.cause };
  });
}

async function attempt(
  step: Step,
  trials: ReadonlyMap<ModuleName, Trial>,
  compression: string | undefined,
  examiner: Examiner,
  before: ReadonlySet<ModuleName>,
): Promise<Trial> {
  const failed = step.after.find(
    ({ module, required }) => required && /^(failed|skipped)$/.test(trials.get(module)?.result ?? ''),
  );
  if (failed !== undefined) return { result: 'skipped', because: failed.module };
  const sequence = lastLogged();
  const end = await runStep(step, compression, () => {});
  if (succeeded(end))
    return { result: end.kind === 'command' ? 'command' : end.kind === 'inserted' ? 'inserted' : 'already-loaded' };
  return { result: 'failed', diagnosis: explain(step, end, sequence, examiner, before) };
}

/** The number of the kernel's last message; undefined when its log cannot be read. */
export function lastLogged(): number | undefined {
  return readKernelLog()?.at(-1)?.sequence;
}

/** The diagnosis of a refusal, for who has a plan of another making; undefined where there is no module tree to explain it with. */
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

/** The diagnosis of a step that failed just now; `sequence`: the last message of the kernel's log before it. */
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
    refusal: {
      errno: end.errno,
      during: end.during,
      why: end.why,
      log: log.filter((text) => concerns(text, step.module)),
    },
  });
}

/** Lines of the kernel that are about a module: by its name, or what the loader and lockdown say without one. */
export function concerns(text: string, module: ModuleName): boolean {
  const name = text.replaceAll('-', '_');
  return (
    name.startsWith(`${module}:`) ||
    name.includes(`${module}.ko`) ||
    name.includes(`'${module}'`) ||
    /^(Loading of |Lockdown: |LoadPin|Module |module: |kmod: )/.test(text) ||
    name.includes(` ${module} `)
  );
}

function withTrials(candidate: CandidateReport, trials: ReadonlyMap<ModuleName, Trial>): CandidateReport {
  const steps = candidate.steps.map((step): StepReport => {
    const trial = trials.get(step.module);
    return trial === undefined ? step : { ...step, result: trial.result, refusal: trial.diagnosis };
  });
  const own = trials.get(candidate.module);
  if (own === undefined) return { ...candidate, steps };
  const { evidence: _, remedy: __, cause: ___, ...rest } = candidate;
  const end = ending(candidate.module, own, trials);
  // What was worth a warning before still is.
  return { ...rest, steps, ...end, evidence: end.verdict === 'inserted' ? candidate.evidence : end.evidence };
}

type Ending = Pick<CandidateReport, 'verdict' | 'cause' | 'reason' | 'evidence' | 'remedy'>;

function ending(module: ModuleName, trial: Trial, trials: ReadonlyMap<ModuleName, Trial>): Ending {
  const skipped = trial.result === 'skipped';
  if (skipped || trial.result === 'failed') {
    const because = skipped ? blamed(trial, trials) : undefined;
    const diagnosis = because === undefined ? trial.diagnosis : trials.get(because)?.diagnosis;
    const { cause = 'other', evidence = [], remedy, errno } = diagnosis ?? {};
    const how = errno === undefined ? '' : ` with ${errnoName(errno)}`;
    if (because === undefined)
      return { verdict: 'failed', cause, reason: `${module} was refused${how}`, evidence, remedy };
    const reason = `${module} needs ${because}, which was refused${how} (${cause})`;
    return { verdict: 'failed', cause: 'missing-dependency', reason, evidence, remedy };
  }
  const [verdict, reason] = {
    inserted: ['inserted', `${module} was inserted`] as const,
    'already-loaded': ['loaded', `${module} had been loaded meanwhile`] as const,
    command: ['install-command', 'its install command has run'] as const,
  }[trial.result];
  return { verdict, reason, evidence: [] };
}

/** The module whose failure made this one, and those between, be skipped. */
function blamed(trial: Trial, trials: ReadonlyMap<ModuleName, Trial>): ModuleName | undefined {
  let module = trial.because;
  for (let next = module; next !== undefined; next = trials.get(next)?.because) module = next;
  return module;
}
