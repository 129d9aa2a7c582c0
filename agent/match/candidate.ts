/** The results of a lookup, as types. Pure. */
import type { ModuleName, Place } from '../base/names.ts';

/**
 * Where a lookup finds names, in search order (libkmod's kmod_module_new_from_lookup): the first source with any match ends the
 * search.
 */
export const SOURCES = [
  'config-alias',
  'modules.dep',
  'modules.symbols',
  'config-command',
  'modules.alias',
  'modules.builtin',
  'builtin-alias',
] as const;
/** Which list had the name, in words: `modules.alias`. */
export type CandidateSource = (typeof SOURCES)[number];

/** One module that a name or modalias stands for, and how the lookup found it. */
export interface Candidate {
  readonly module: ModuleName;
  readonly source: CandidateSource;
  /** The pattern or name that matched, normalised: `pci:v00008086d*sv*sd*bc*sc*i*`. */
  readonly pattern: string;
  /** The index value's priority: the module's position in modules.order; 0 outside the indexes. */
  readonly priority: number;
  /** The configuration line, for `config-alias` and `config-command`. */
  readonly place?: Place;
}

/** What a name stands for. Candidates are in kmod's order, each module once unless the matcher keeps kmod's duplicates. */
export type Lookup =
  | { readonly kind: 'found'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly why: string };

/** The part of the administrator's configuration that affects lookups; rules/ fills it. */
export interface ConfiguredNames {
  readonly aliases: ReadonlyArray<{ readonly pattern: string; readonly module: ModuleName; readonly place: Place }>;
  /** Names of `install` lines, then of `remove` lines, in file order. */
  readonly commands: ReadonlyArray<{ readonly module: ModuleName; readonly place: Place }>;
}
