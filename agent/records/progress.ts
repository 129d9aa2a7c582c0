/** What a progress line tells. */
export interface Progress {
  readonly devices: number;
  readonly done: number;
  readonly total: number;
  /** What is in finit_module now, and since how many milliseconds. */
  readonly running: ReadonlyArray<{ readonly module: string; readonly ms: number }>;
  readonly blocked: number;
  readonly failed: number;
}
