/** node:net: plugd-lite asks no agent. The modules of its commands name it, and none of them calls it. */

/** Errors: always. */
export function connect(): never {
  throw new Error('plugd-lite connects to nothing');
}
