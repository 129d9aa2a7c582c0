/**
 * The agent's run directory: its lock, its socket, and the link to the modprobe that its helper replaced. A user who may put names there
 * could answer the kernel, so it must be a folder of this user's alone, and so must the way to it.
 */
import { lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fsCode, PlugdError, reason } from '../../base/error.ts';
import { changeableBy } from '../../facts/config/permissions.ts';

/** Where the agent's files are unless told (`--run-dir`); the request helper knows no other. */
export const RUN_DIR = '/run/plugd';

/** The control socket of a run directory. */
export function controlPath(runDir: string): string {
  return `${runDir}/control`;
}

/**
 * Makes the run directory (mode 0700) unless it is there. Errors: `no-permission` for one that is a link, or that another user could
 * change or replace; `system`.
 */
export function makeRunDir(runDir: string): void {
  const path = resolve(runDir);
  inRunDir(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) {
      throw new PlugdError('no-permission', `the run directory ${runDir} is a symbolic link`, {
        remedy: `name the folder itself: --run-dir ${realpathSync(path)}`,
      });
    }
    if ((stat.mode & 0o022) !== 0 || stat.uid !== process.geteuid?.()) {
      throw new PlugdError('no-permission', `${runDir} belongs to another user, or others may write to it`, {
        remedy: `chown root ${runDir}; chmod 0700 ${runDir}`,
      });
    }
    const changeable = changeableBy(dirname(path));
    if (changeable !== undefined) {
      throw new PlugdError('no-permission', `others may write to ${changeable}, and so replace ${runDir}`, {
        remedy: `name a folder in a place of root's, or: chown root ${changeable}; chmod go-w ${changeable}`,
      });
    }
  });
}

/** Removes what stands in the way of a name that the holder of the lock owns. Errors: `system` for a directory. */
export function clearName(path: string): void {
  inRunDir(path, () => {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw new PlugdError('system', `${path} is a directory`, { remedy: `remove it: rmdir ${path}` });
    }
    rmSync(path, { force: true });
  });
}

/** What `work` answers. Errors: its own; for the file system's `no-permission` or `system`, naming `path`. */
export function inRunDir<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PlugdError) throw error;
    const denied = ['EACCES', 'EPERM', 'EROFS'].includes(fsCode(error) ?? '');
    if (!denied) throw new PlugdError('system', `${path}: ${reason(error)}`, { cause: error });
    throw new PlugdError('no-permission', `${path} cannot be written: ${reason(error)}`, {
      remedy: 'run it as root, or name another directory with --run-dir',
    });
  }
}
