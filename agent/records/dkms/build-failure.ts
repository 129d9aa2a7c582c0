/** Why a module could not be compiled, as data. Pure; dkms/build/why/make-failure.ts finds it in make.log. */

/**
 * What kind of mistake the first real error of a build is.
 *
 * - `api-change`: the kernel's interface is another than the one that the source was written for;
 * - `missing-header`, `missing-package`, `missing-tool`: something is not installed;
 * - `config-off`: the kernel was built without what the module needs;
 * - `compiler`: the compiler is the wrong one, or does not know an option;
 * - `objtool`: objtool, pahole or BTF refused;
 * - `killed`: a process of the build was killed, nearly always for want of memory;
 * - `symbol-not-exported`, `gpl-only`: modpost found no export, or one that this module's license may not use;
 * - `wrong-kernel`: the build was for another kernel, or another kernel's files took part in it;
 * - `patch`: a patch does not apply; `source`: the source is wrong for every kernel; `unknown`: nothing of these.
 */
export type FailureClass =
  | 'api-change'
  | 'missing-header'
  | 'missing-package'
  | 'config-off'
  | 'compiler'
  | 'objtool'
  | 'no-space'
  | 'killed'
  | 'missing-tool'
  | 'permission'
  | 'symbol-not-exported'
  | 'gpl-only'
  | 'wrong-kernel'
  | 'patch'
  | 'source'
  | 'unknown';

/**
 * Where the first error is: the file as the compiler named it, below the build folder where it lies there. Of tools that name no file, the
 * line of make.log in which they said it.
 */
export interface FailurePlace {
  readonly file: string;
  /** 1 is the first line; undefined where the tool names none. */
  readonly line: number | undefined;
}

/** The first real error of a failed build. */
export interface BuildFailure {
  readonly class: FailureClass;
  readonly place: FailurePlace;
  /** What the tool said, without the place: `implicit declaration of function 'from_timer'`. Ordinary text. */
  readonly text: string;
  /** The line of source that the compiler showed below it, without its margin; undefined when it showed none. */
  readonly source: string | undefined;
  /** What the error is about: a function, a header, a package, a symbol, an option; undefined when it names nothing. */
  readonly subject: string | undefined;
  /** How many further errors the log has. */
  readonly more: number;
  /** The kernel that changed the interface, and what replaces it, if plugd knows. */
  readonly change: ApiChange | undefined;
}

/** A change of the kernel's interface that breaks sources. */
export interface ApiChange {
  /** The name that sources use: `from_timer`, `timer_list.data`, `linux/ide.h`. */
  readonly symbol: string;
  /** `gone` and `changed`: older sources break. `added`: the source is newer than the kernel. */
  readonly kind: 'gone' | 'changed' | 'added';
  /** The first release with the new form: `6.16`. */
  readonly since: string;
  /** What to write instead: `timer_container_of()`; of what was added, what it replaced. */
  readonly now: string;
}
