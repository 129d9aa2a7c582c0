/**
 * Who loaded what before the agent began: lines of JSON in the run directory, which a move of /run takes along from an initramfs. Coldplug
 * writes them, and modprobe in an initramfs. Each agent enters them into its ledger when it starts.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { fsCode, PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { readText } from '../facts/attribute.ts';
import { parseMounts } from '../facts/kernel/mount-info.ts';
import { processFields } from '../facts/kernel/procfs.ts';
import { readRegularFile } from '../facts/regular-file.ts';
import type { LedgerEntry } from '../records/ledger.ts';
import { makeRunDir } from './control/run-dir.ts';

/** A machine has some hundred modules. Coldplug may be called again and again, and must not fill /run, which is memory. */
const MOST_BYTES = 1 << 20;

function pathIn(runDir: string): string {
  return `${runDir}/early-ledger`;
}

/**
 * Adds entries: `leaveLedger('/run/plugd', entries)`. Loading does not depend on it: where they cannot be written, nothing happens, and
 * with a megabyte there already, neither.
 */
export function leaveLedger(runDir: string, entries: readonly LedgerEntry[]): void {
  if (entries.length === 0) return;
  try {
    makeRunDir(runDir);
    const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
    const fd = openSync(pathIn(runDir), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
    try {
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`);
      // One call: others may write, too.
      if (fstatSync(fd).size < MOST_BYTES) writeSync(fd, lines.join(''));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!(error instanceof PlugdError) && fsCode(error) === undefined) throw error;
  }
}

/** The entries that were left, in their order; none where nothing was. What is no entry is left out. */
export function leftLedger(runDir: string): readonly LedgerEntry[] {
  const read = readRegularFile('', pathIn(runDir));
  if (read.kind !== 'bytes') return [];
  return read.bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const entry = parsed(line);
      return isEntry(entry) ? [entry] : [];
    });
}

/** Whether this system is an initramfs: its root is the kernel's first file system, which leaving it hides. */
export function isInitramfs({ proc }: Pick<Host, 'proc'>): boolean {
  const mounts = parseMounts(readText(`${proc}/self/mountinfo`) ?? '');
  return mounts.findLast(({ place }) => place === '/')?.type === 'rootfs';
}

/** Whether the kernel itself runs this process, as it runs modprobe: its parent is one of the kernel's threads, which have no words. */
export function isAskedByKernel({ proc }: Pick<Host, 'proc'>): boolean {
  const [, parent] = processFields(proc, 'self');
  return readText(`${proc}/${parent}/cmdline`) === '';
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is LedgerEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { time, module, by, early } = value as Readonly<Record<string, unknown>>;
  const isTime = typeof time === 'string' && !Number.isNaN(Date.parse(time));
  return isTime && typeof module === 'string' && typeof by === 'string' && typeof early === 'string';
}
