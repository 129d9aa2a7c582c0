/** node:module: what plugd loads late is in the program already. */
import * as childProcess from './child_process.ts';
import * as zlib from './zlib.ts';

const MODULES: Readonly<Record<string, unknown>> = { 'node:child_process': childProcess, 'node:zlib': zlib };

/** A require() of those modules. */
export function createRequire(): (name: string) => unknown {
  return (name) => {
    const found = MODULES[name];
    if (found === undefined) throw new Error(`${name} is not in plugd-lite`);
    return found;
  };
}
