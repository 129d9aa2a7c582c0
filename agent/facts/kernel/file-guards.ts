/**
 * What the kernel demands of files that it reads, modules among them, beside signatures. Reads only.
 *
 *     /proc/sys/kernel/loadpin/enforce, before 5.9 enabled      1: all from one file system
 *     ima_policy=secure_boot|appraise_tcb on the command line   signatures in security.ima; not with ima_appraise=log, fix or off
 *
 * Sources: Documentation/admin-guide/LSM/LoadPin.rst, security/integrity/ima/ima_policy.c.
 */
import type { Host } from '../../base/host.ts';
import { readKernelCommandLine } from '../config/config-text.ts';
import { readProc } from './procfs.ts';

/** Which of them are on. A policy that was loaded later shows nowhere. */
export interface FileGuards {
  readonly loadPin: boolean;
  /** The parameter by which IMA appraises modules: `ima_policy=secure_boot`. */
  readonly appraisal: string | undefined;
}

/** Those of the running kernel. */
export function readFileGuards(host: Host): FileGuards {
  const loadPin = ['enforce', 'enabled'].map((name) => readProc(host, `sys/kernel/loadpin/${name}`)?.trim());
  return { loadPin: loadPin.includes('1'), appraisal: appraisalIn(readKernelCommandLine(host).text) };
}

/** The parameter of a command line that has IMA appraise modules, and refuse those that do not pass. */
export function appraisalIn(line: string): string | undefined {
  const words = line.split(/\s+/).map((word) => word.replaceAll('"', ''));
  const mode = words.findLast((word) => word.startsWith('ima_appraise='));
  if (mode !== undefined && mode !== 'ima_appraise=enforce') return undefined;
  return words.find(
    (word) => /^ima_policy=(.*\|)?(secure_boot|appraise_tcb)(\||$)/.test(word) || word === 'ima_appraise_tcb',
  );
}
