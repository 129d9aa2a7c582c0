/** What keeps the agent from being settled, as data. Pure; no words for people. */
import type { ModuleName } from '../base/names.ts';

/**
 * One thing that stands between now and being settled (docs/control-socket.schema.json); `ms` says for how long already.
 *
 *     { kind: 'insertion', module: 'nvme', ms: 1204.3 }
 */
export type Waiting =
  /** A module whose turn has not come. */
  | { readonly kind: 'queued'; readonly module: ModuleName }
  /** A module that is inside finit_module, or whose install command runs. */
  | { readonly kind: 'insertion'; readonly module: ModuleName; readonly ms: number }
  /** Uevents that the kernel has numbered and that have not come. */
  | { readonly kind: 'uevents'; readonly count: number }
  /** A bus that finds its devices in the background. */
  | { readonly kind: 'bus' }
  /** Workers of the kernel that find devices: `usb_hub_wq`. */
  | { readonly kind: 'workers'; readonly workers: readonly string[] }
  /** A rescan of sysfs that is due. */
  | { readonly kind: 'rescan' }
  /** sysfs, or new files, being read. */
  | { readonly kind: 'reading' }
  /** The reason of a failure, being found. */
  | { readonly kind: 'explanation' }
  /** A module that somebody wants loaded and that is not; `why` is undefined when nothing has asked for it. */
  | { readonly kind: 'module'; readonly module: ModuleName; readonly why?: string | undefined }
  /** A device that is not there, or that is there and has not been heard of. */
  | { readonly kind: 'device'; readonly device: string; readonly there: boolean }
  /** A device with a modalias of this pattern. */
  | { readonly kind: 'modalias'; readonly modalias: string };

/** Whether both lists name the same things, however long each has taken. */
export function sameWaiting(a: readonly Waiting[], b: readonly Waiting[]): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf(all: readonly Waiting[]): string {
  return JSON.stringify(all.map((one) => ('ms' in one ? { ...one, ms: 0 } : one)));
}
