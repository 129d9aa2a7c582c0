/** The input of a diagnosis. Pure. */
import { errnoName, type ErrnoName } from '../base/errno.ts';
import type { ConfigEvidence, FileEvidence, KernelEvidence, ModuleEvidence, Refusal } from './evidence.ts';
import type { KernelState } from '../facts/kernel/kernel-state.ts';

/** What is known before the module's file is read. */
export interface KnownInput {
  readonly module: Pick<ModuleEvidence, 'module' | 'path' | 'kernelBlacklist' | 'standing'>;
  /** Undefined when the module is for another machine: only the file counts then. */
  readonly kernel: KernelState | undefined;
  /** Undefined when it was not tried. */
  readonly refusal: Refusal | undefined;
}

/** What the whole diagnosis is made from. */
export interface DiagnosisInput extends KnownInput {
  readonly module: ModuleEvidence;
  readonly kernel: KernelEvidence | undefined;
  /** The configuration of the kernel that should load the module; undefined when no file says so. */
  readonly config?: ConfigEvidence | undefined;
}

/** What a row says when it explains. */
export interface Explanation {
  /** Sentences, each a fact; machine text in them is latin1. */
  readonly evidence: readonly string[];
  /** What to do about it; undefined when nothing sensible is known. */
  readonly remedy: string | undefined;
}

/** The input as the rows ask it that do without the module's file. */
export interface KnownFacts extends KnownInput {
  /** Undefined when it has not been read. */
  readonly file: FileEvidence | undefined;
  /** The first line of the log that matches. */
  readonly logged: (pattern: RegExp) => string | undefined;
}

/** The input as all rows ask it. */
export interface Facts extends DiagnosisInput {
  readonly file: FileEvidence;
  /** The file, if it is a module. */
  readonly image: Extract<FileEvidence, { kind: 'module' }> | undefined;
  readonly logged: (pattern: RegExp) => string | undefined;
}

/** The input with everything in it, made easy to ask. */
export function factsOf(input: DiagnosisInput): Facts {
  const { file } = input.module;
  return {
    ...input,
    file,
    image: file.kind === 'module' ? file : undefined,
    logged: (pattern) => firstLine(input.refusal, pattern),
  };
}

/** The same without the file. The kernel's state is asked for only when a row looks at it. */
export function knownFactsOf(input: KnownInput): KnownFacts {
  return {
    module: input.module,
    refusal: input.refusal,
    file: undefined,
    logged: (pattern) => firstLine(input.refusal, pattern),
    get kernel() {
      return input.kernel;
    },
  };
}

function firstLine(refusal: Refusal | undefined, pattern: RegExp): string | undefined {
  return refusal?.log.find((line) => pattern.test(line));
}

/** Whether the refusal was one of these errors. */
export function errnoIs(refusal: Refusal | undefined, ...names: readonly ErrnoName[]): boolean {
  return refusal !== undefined && names.some((name) => name === errnoName(refusal.errno));
}

/** The kernel's words as evidence. */
export function said(line: string | undefined): readonly string[] {
  return line === undefined ? [] : [`the kernel said: ${line}`];
}
