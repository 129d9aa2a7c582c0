/** What is asked of files that assign shell variables. Pure. */

/** Which variables, and what they may depend on. */
export interface ShellQuestion {
  /** Variables that the files may look at. */
  readonly variables: Readonly<Record<string, string>>;
  /** The names whose values are wanted; one that is among `variables`, too, has a value before. */
  readonly known: readonly string[];
  /** Of these, the patterns, and the variable that each is matched against. */
  readonly patterns: ReadonlyArray<readonly [string, string]>;
  /** Assignments that win over the files': `STRIP=no`. */
  readonly last: readonly string[];
}
