/** Finds the programs that a build needs beyond a compiler for this machine, and Debian's packages that have them. */
import { spawnSync } from 'node:child_process';

/** It cannot be built here; the message says why, in a sentence. */
export class Missing extends Error {}

/** Returns a command that exists: `need('musl-gcc', 'musl-tools')`. As root it installs the package if need be. Errors: Missing. */
export function need(command, name) {
  const isThere = () => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  if (!isThere() && process.getuid?.() === 0)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (!isThere()) throw new Missing(`there is no ${command} (Debian: apt-get install ${name}).`);
  return command;
}
