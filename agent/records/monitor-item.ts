/** What `plugd monitor` tells: kernel uevents and plugd's decisions as they come. */
import type { BlockedRecord, ModuleRecord } from './coldplug-run.ts';

/** A uevent, as monitors get it. */
export interface MonitoredUevent {
  readonly time: string;
  readonly action: string;
  readonly devpath: string;
  readonly subsystem: string;
  readonly seqnum?: number | undefined;
  readonly modaliases: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Something that plugd did, found, or (`would-…`, where no agent runs) would do. */
export type Decision =
  | {
      readonly event: 'inserted' | 'already-loaded' | 'command' | 'failed' | 'skipped' | 'would-insert' | 'would-fail';
      readonly record: ModuleRecord;
    }
  | { readonly event: 'blocked'; readonly record: BlockedRecord };

/** A decision, as monitors get it. */
export type MonitoredDecision = Decision & { readonly time: string };

/** In place of items that came while their reader did not read: how many. Any stream of items may have one. */
export interface DroppedItems {
  readonly dropped: number;
}

/** What comes out of a monitor. */
export type MonitorItem =
  | { readonly kernel: MonitoredUevent }
  | { readonly decision: MonitoredDecision }
  | DroppedItems;
