/** Explains failed insertions after the fact. Reads the module's file and the kernel's log; changes nothing. */
import type { Host } from '../base/host.ts';
import { readKernelLog, type KernelMessage } from '../facts/kernel/kernel-log.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import { diagnose } from '../diagnosis/diagnosis.ts';
import { Examiner } from './examination.ts';
import { concerns } from './insertion-trial.ts';
import { sinceStart } from '../load/turns.ts';
import type { Sources } from '../load/sources.ts';

/** The kernel's log has its own clock, which differs from CLOCK_MONOTONIC by less than this. */
const CLOCKS_MS = 2000;

/**
 * The records, with failures explained: cause, evidence and remedy from the module's file, the kernel's state and its log messages
 * of that time. A module whose init found no device needs no explanation.
 */
export function explainFailures(
  host: Host,
  sources: Sources,
  records: readonly ModuleRecord[],
): readonly ModuleRecord[] {
  const examiner = new Examiner(host, sources);
  const there = new Set(
    records.filter(({ result }) => result === 'inserted' || result === 'already-loaded').map(({ module }) => module),
  );
  let log: readonly KernelMessage[] | undefined;
  return records.map((record) => {
    const { result, errno, during, cause, module, path, params } = record;
    if (result !== 'failed' || errno === undefined || cause === 'no-device') return record;
    log ??= readKernelLog() ?? [];
    const since =
      process.hrtime.bigint() / 1000n - BigInt(Math.round((sinceStart() - (record.startedMs ?? 0) + CLOCKS_MS) * 1000));
    const lines = log
      .filter(({ timeUs, text }) => BigInt(timeUs) >= since && concerns(text, module))
      .map(({ text }) => text);
    const diagnosis = diagnose({
      module: examiner.examine({ module, path, parameters: params === '' ? [] : [{ text: params }], before: there }),
      kernel: examiner.kernel,
      config: examiner.config,
      refusal: { errno, during: during ?? 'insert', why: record.detail, log: lines },
    });
    return {
      ...record,
      cause: diagnosis.cause,
      evidence: diagnosis.evidence,
      remedy: diagnosis.remedy,
    };
  });
}
