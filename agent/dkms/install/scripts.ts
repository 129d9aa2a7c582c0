/** POST_ADD, PRE_INSTALL, POST_INSTALL and POST_REMOVE: programs of a package that run beside its sources. */
import { spawnSync } from 'node:child_process';
import { statHere } from '../../base/root.ts';
import { isExecutable } from '../build/process/program.ts';
import type { Tell } from '../../records/dkms/message.ts';

/** A script of a package, and where to look for it. */
export interface PackageScript {
  /** As dkms names it: `post_install`. */
  readonly name: string;
  /** The directive's value: a program and its arguments. Undefined when the package has none. */
  readonly command: string | undefined;
  /** The sources, `/var/lib/dkms/NAME/VERSION/source`. */
  readonly folder: string;
  /** `/etc/dkms/NAME`: a program there with the script's name runs instead. */
  readonly overrides: string;
}

/** Runs a script with plugd's own standard output; gives its exit status, 0 when there is nothing to run. */
export function runScript({ name, command, folder, overrides }: PackageScript, tell: Tell): number {
  const [program = '', ...rest] = (command ?? '').split(/[ \t\n]+/).filter((word) => word !== '');
  if (program === '') return 0;
  const place = [overrides, folder].find((each) => statHere(`${each}/${program}`)?.isFile() === true);
  if (place === undefined || !isExecutable(`${place}/${program}`)) {
    tell({ kind: 'script-not-executable', script: name });
    return 0;
  }
  tell({ kind: 'script', script: name });
  const child = spawnSync(`${place}/${program}`, rest, { cwd: place, stdio: ['ignore', 'inherit', 'inherit'] });
  return child.status ?? 126;
}
