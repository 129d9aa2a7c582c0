/**
 * Everything about a device or a name, as plain data: what it is, what matches it, what rules say, what would be loaded,
 * what the kernel would refuse, and the verdict (docs/test.schema.json). `plugd test` prints it as text or JSON; `plugd devices`
 * shows its last line.
 */
import type { Devpath, Modalias, ModuleName, Place } from '../base/names.ts';
import type { CandidateSource } from '../match/candidate.ts';
import type { PlanNote, StepReason, StepState } from '../plan/plan.ts';
import type { Cause } from '../diagnosis/cause.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { BadParameter } from '../diagnosis/evidence.ts';
import { foremost, type Verdict } from '../diagnosis/verdict.ts';
import type { Ending } from './ending.ts';

/** A rule that applied to a candidate, or a place where one was looked for and none applied. */
export interface RuleReport {
  /** `alias`, `blacklist`, `install`, `options`, `softdep`, `module_blacklist=`, `policy`. */
  readonly kind: string;
  /** The rule as written: `blacklist nouveau`; undefined when none applied. */
  readonly text?: string | undefined;
  readonly place?: Place | undefined;
  /** Whether it decided, or changed the plan. */
  readonly applied: boolean;
  /** What was looked at when none applied: `7 lines in 3 files`; or why an existing one had no effect. */
  readonly remark?: string | undefined;
}

/** One module of the plan. */
export interface StepReport {
  readonly module: ModuleName;
  readonly path: string;
  readonly params: string;
  readonly origins: ReadonlyArray<{ readonly text: string; readonly place?: Place | undefined }>;
  readonly why: StepReason;
  readonly for?: ModuleName | undefined;
  readonly required: boolean;
  readonly state: StepState | 'absent';
  /** The shell command that stands in for its insertion. */
  readonly command?: string | undefined;
  /** Why the kernel would refuse it, or did. */
  readonly refusal?: Diagnosis | undefined;
  /** What an insertion did: only after `--insert`. */
  readonly result?: 'inserted' | 'already-loaded' | 'command' | 'failed' | 'skipped' | undefined;
  readonly badParameters?: readonly BadParameter[] | undefined;
  /** What the kernel would only warn of, each a sentence. */
  readonly warnings?: readonly string[] | undefined;
  /** The firmware files that it names, when none of them is there. */
  readonly missingFirmware?: readonly string[] | undefined;
}

/** One module that a name stands for. */
export interface CandidateReport extends Ending {
  readonly module: ModuleName;
  /** `file`: it was given by its path. */
  readonly source: CandidateSource | 'file';
  readonly pattern: string;
  readonly priority: number;
  readonly place?: Place | undefined;
  readonly rules: readonly RuleReport[];
  readonly steps: readonly StepReport[];
  readonly notes: readonly PlanNote[];
}

/** One name that the device asks for: a MODALIAS, or what a `kmod load` rule names. */
export interface RequestReport {
  readonly name: string;
  /** The part of the device that asks: an interface of a USB device, `1-1.2:1.0`. */
  readonly of?: string | undefined;
  /** The rule that names it, when it is not the device's own MODALIAS. */
  readonly rule?: Place | undefined;
  /** `name` is the path of a module file, to be inserted as insmod does. */
  readonly file?: { readonly params: string } | undefined;
  readonly candidates: readonly CandidateReport[];
  /** Of the foremost candidate; `no-match` when there is none. */
  readonly verdict: Verdict;
  readonly cause: Cause | undefined;
  /** Why nothing can match: `the '[' at byte 7 has no ']' after it`. */
  readonly malformed?: string | undefined;
}

/** The device that was asked about. */
export interface DeviceReport {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly name: string;
  readonly modaliases: readonly Modalias[];
  readonly properties: Readonly<Record<string, string>>;
  readonly driver?: string | undefined;
  readonly driverModule?: ModuleName | undefined;
}

/** What is investigated, and where. */
export interface InvestigationSubject {
  /** The word as given. */
  readonly asked: string;
  /** How it was understood: `network interface eth0 of pci 0000:00:02.0`. */
  readonly meant: string;
  readonly kernel: string;
  /** What relative paths of modules are relative to. */
  readonly moduleDir: string;
  /** The files in which rules were looked for, in the order in which they count. */
  readonly configuration: readonly string[];
  readonly device?: DeviceReport | undefined;
}

/** Everything about one DEVICE word. */
export interface Investigation extends InvestigationSubject, Ending {
  readonly requests: readonly RequestReport[];
}

/** The request with these candidates, and the verdict of the foremost of them. */
export function withCandidates(
  request: Omit<RequestReport, 'candidates' | 'verdict' | 'cause'>,
  candidates: readonly CandidateReport[],
): RequestReport {
  const first = foremost(candidates);
  return { ...request, candidates, verdict: first?.verdict ?? 'no-match', cause: first?.cause };
}
