/** What a build may not reach, as data. Pure. */

/** A wall around a build that this machine does not put up, and why not: `{ wall: 'network', why: 'unshare: operation not permitted' }`. */
export interface SandboxWall {
  /** `network`: no network; `files`: all but the build folder read-only; `user`: not root; `privileges`: no new ones. */
  readonly wall: 'network' | 'files' | 'user' | 'privileges';
  readonly why: string;
}
