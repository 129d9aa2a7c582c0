import { errnoName } from '../base/errno.ts';
import type { FileEvidence, KernelEvidence, ModuleEvidence, Refusal } from './evidence.ts';

/** What the rows look at; parts that could not be read, or do not matter here, are undefined. */
export interface DiagnosisInput {
  readonly module: ModuleEvidence;
  /** Undefined when the module is for another machine: only the file counts then. */
  readonly kernel: KernelEvidence | undefined;
  /** Undefined when it was not tried. */
  readonly refusal: Refusal | undefined;
}

/** What a row says when it explains. */
export interface Explanation {
  /** Sentences, each a fact; machine text in them is latin1. */
  readonly evidence: readonly string[];
  /** What to do about it; undefined when nothing sensible is known. */
  readonly remedy: string | undefined;
}

/** The input as the rows ask it. */
export interface Facts extends DiagnosisInput {
  readonly file: FileEvidence;
  /** The file, if it is a module. */
  readonly image: Extract<FileEvidence, { kind: 'module' }> | undefined;
  /** The first line of the log that matches. */
  readonly logged: (pattern: RegExp) => string | undefined;
}

/** The input, made easy to ask. */
export function factsOf(input: DiagnosisInput): Facts {
  const { file } = input.module;
  return {
    ...input,
    file,
    image: file.kind === 'module' ? file : undefined,
    logged: (pattern) => input.refusal?.log.find((line) => pattern.test(line)),
  };
}

/** Whether the refusal was this error. */
export function errnoIs(refusal: Refusal | undefined, name: string): boolean {
  return refusal !== undefined && errnoName(refusal.errno) === name;
}

/** The kernel's words as evidence. */
export function said(line: string | undefined): readonly string[] {
  return line === undefined ? [] : [`the kernel said: ${line}`];
}
