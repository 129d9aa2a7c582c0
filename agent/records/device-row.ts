/** One device as `plugd devices` shows it and `plugd test --replay` judges it (docs/devices.schema.json). */
import type { Devpath, Modalias, ModuleName } from '../base/names.ts';
import type { Cause } from '../diagnosis/cause.ts';
import type { Verdict } from '../diagnosis/verdict.ts';

/** One device. */
export interface DeviceRow {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly name: string;
  readonly modaliases: readonly Modalias[];
  readonly driver?: string | undefined;
  /** The module that the bound driver is in; absent for a driver inside the kernel, or one that was not recorded. */
  readonly driverModule?: string | undefined;
  /** What its MODALIASes and load rules lead to, in order. */
  readonly modules: readonly ModuleName[];
  readonly verdict: Verdict;
  readonly cause?: Cause | undefined;
  readonly reason: string;
}
