/** The record of a row of `plugd modules`. Pure; no words for people. */
import type { ModuleName, Place } from '../base/names.ts';

/** One module of the tree or of the kernel itself. */
export interface ModuleRow {
  readonly module: ModuleName;
  readonly state: 'live' | 'coming' | 'going' | 'builtin' | 'absent';
  /** How many use it; undefined for what is not loaded. */
  readonly users?: number | undefined;
  /** Relative to the module directory; '' for what is built in. */
  readonly path: string;
  /** The rules about it: `blacklist`, `install`, `options`, `softdep`, `module_blacklist=`. */
  readonly rules: ReadonlyArray<{ readonly kind: string; readonly place: Place }>;
}
