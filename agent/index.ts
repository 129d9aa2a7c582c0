/**
 * plugd as a library: named re-exports only, no logic. The docstring at each definition says what it does and which errors it throws;
 * docs/library.md and examples/ show it in use.
 *
 * Importing it starts nothing. Expected outcomes are values, mostly unions on `kind`; a PlugdError means "cannot go on".
 */
/// <reference types="node" preserve="true" />
export { VERSION } from './base/version.ts';
export { PlugdError, type ErrorCode, type ErrorOptions } from './base/error.ts';
export type { HostOptions } from './base/host.ts';
export { moduleName, type Devpath, type Modalias, type ModuleName, type Place } from './base/names.ts';

// A module tree with its rules.
export {
  openModules,
  readModuleInfo,
  type BuiltinInfo,
  type ListedModule,
  type Modules,
  type NamePlan,
  type NamePlanOptions,
} from './library/modules.ts';
export type { Candidate, CandidateSource, Lookup } from './match/candidate.ts';
export type { ModuleFiles } from './match/matcher.ts';
export type { Answer } from './load/answer.ts';
export type { Decision } from './rules/modprobe/decision.ts';
export type {
  Blocked,
  BlockedKind,
  ParamOrigin,
  Plan,
  PlanEdge,
  PlanNote,
  PlannedCommand,
  Step,
  StepReason,
  StepState,
} from './plan/plan.ts';

export type { Problem, ProblemCode } from './base/problem.ts';

// The administrator's rules.
export { parseRules } from './library/rules.ts';
export type { ConfigText } from './facts/config/config-text.ts';
export type {
  AliasRule,
  BlacklistRule,
  CommandRule,
  Config,
  DecisionKind,
  OptionsRule,
  SoftdepRule,
  WeakdepRule,
} from './rules/modprobe/config.ts';

// Module files.
export { moduleParameters, type ModuleInfo, type ModuleParameter } from './facts/modfiles/module-info.ts';
export { modinfoValue, modinfoValues, type ModinfoField } from './facts/modfiles/modinfo.ts';
export type { NotAModule } from './facts/modfiles/module-file.ts';
export type { SignerInfo } from './facts/modfiles/signed-data.ts';
export type { DamagedSignature, ModuleSignature } from './facts/modfiles/signature.ts';

// Indexes.
export {
  buildIndexes,
  publishIndexes,
  type IndexBuild,
  type IndexBuildOptions,
  type IndexMessage,
} from './library/indexes.ts';
export type { Level } from './depmod/message.ts';
export type { IndexFiles, Publication } from './depmod/publication.ts';
export type { IndexLayout } from './indexes/index-writer.ts';

// Devices.
export { readDevices, type Device } from './facts/devices/device.ts';
export { readBoundDevices, type BoundDevice } from './facts/devices/bound-device.ts';
export { parseMachine, parseRecording, recordLine, type Recording } from './facts/devices/recording.ts';
export type { RecordedRoot } from './facts/devices/recorded-root.ts';
export type { StorageWant } from './facts/devices/storage-path.ts';
export { headerLine, readHeader, type RecordingHeader } from './facts/devices/recording-header.ts';
export { coldplug, planColdplug, type ColdplugRunOptions } from './library/coldplug.ts';
export type { BlockedRecord, ColdplugRun, ModaliasRecord, ModuleRecord, Requester } from './records/coldplug-run.ts';

export type { KernelRequests, Phase } from './records/coldplug-run.ts';
export type { Waiting } from './records/waiting.ts';
export type { Properties } from './facts/uevents/key-values.ts';

// Uevents.
export { parseUevent, type Uevent, type UeventRead } from './facts/uevents/uevent.ts';
export { openUevents } from './library/uevents.ts';
export type { UeventCounters, UeventListener, UeventSocket } from './facts/uevents/uevent-socket.ts';

// Diagnosis.
export { explainDevice, explainModule } from './library/explain.ts';
export type {
  CandidateReport,
  DeviceReport,
  Investigation,
  RequestReport,
  RuleReport,
  StepReport,
} from './records/investigation.ts';
export type { Diagnosis } from './diagnosis/diagnosis.ts';
export type { BadParameter } from './diagnosis/evidence.ts';
export type { Asker, LedgerEntry } from './records/ledger.ts';
export type { Cause } from './diagnosis/cause.ts';
export type { Verdict } from './diagnosis/verdict.ts';
export type { AskingDevice, OwnPackage, PresentState, Reasons, WayIn } from './records/reasons.ts';
