/** Words about loading: why a module is not loaded, what a settle waits for, and the progress line of a run. Builds text. */
import { counted } from '../base/words.ts';
import { causeText } from '../diagnosis/cause.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import type { Progress } from '../records/progress.ts';
import type { Waiting } from '../records/waiting.ts';
import { duration, fit, readable, type Terminal } from './terminal.ts';

/** Why a module is a step of a plan: words in front of the module that wants it. */
export const STEP_WHY: Readonly<Record<ModuleRecord['why'], string>> = {
  target: 'asked for',
  depends: 'needed by',
  'softdep-pre': 'softdep before',
  'softdep-post': 'softdep after',
};

/**
 * Why a module is not loaded, as machine text: `unknown-symbol (ENOENT): needs a symbol that no loaded module exports`. '' when
 * its record tells of no failure.
 */
export function failureText(record: ModuleRecord): string {
  if (record.result === 'unfinished') return record.startedMs === undefined ? 'not begun' : 'still in its init';
  if (record.result !== 'failed' && record.result !== 'skipped') return '';
  const words = record.cause === undefined ? 'refused' : causeText(record.cause, record.errno);
  return record.detail === undefined ? words : `${words}; ${record.detail}`;
}

type Words = { readonly [Kind in Waiting['kind']]: (waiting: Extract<Waiting, { kind: Kind }>) => string };

const WORDS: Words = {
  queued: ({ module }) => `${module} (not begun)`,
  insertion: ({ module, ms }) => `${module} (in finit_module for ${(ms / 1000).toFixed(1)} s)`,
  uevents: ({ count }) => `${count} uevents of the kernel`,
  bus: () => 'a bus that is still finding devices',
  workers: ({ workers }) => `the kernel, which is looking for devices (${workers.join(', ')})`,
  rescan: () => 'a rescan of sysfs',
  reading: () => 'reading sysfs',
  explanation: () => 'the reason of a failure',
  module: ({ module, why = 'nobody has asked for it' }) => `${module} (${why})`,
  device: ({ device, there }) => `device ${device} (${there ? 'not seen yet' : 'not there'})`,
  modalias: ({ modalias }) => `a device with modalias ${modalias} (not there)`,
};

/** What a settle waits for, for people, as machine text: `ahci (in finit_module for 14.1 s)`. */
export function waitingText(waiting: Waiting): string {
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WORDS[waiting.kind] as (one: Waiting) => string;
  return words(waiting);
}

/** Several of them in one line: `ahci (not begun), a rescan of sysfs`. */
export function waitingTexts(waiting: readonly Waiting[]): string {
  return waiting.map(waitingText).join(', ');
}

/** `[#######…….]  31/84  412 devices, 0 blocked, 1 failed   ahci 812 ms, nvme 12 ms`: one line that fits the terminal. */
export function progressLine(progress: Progress, terminal: Terminal): string {
  const cells = 16;
  const full = progress.total === 0 ? 0 : Math.floor((progress.done / progress.total) * cells);
  const bar = `[${'#'.repeat(full)}${'.'.repeat(cells - full)}]`;
  const counts = `${progress.done}/${progress.total}  ${counted(progress.devices, 'device')}, ${progress.blocked} blocked, ${progress.failed} failed`;
  const running = progress.running.map(({ module, ms }) => `${readable(module)} ${duration(ms)}`).join(', ');
  return fit(`${bar} ${counts}   ${running}`, terminal.width - 1);
}
