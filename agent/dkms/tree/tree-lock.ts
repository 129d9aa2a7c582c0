/**
 * One writer a DKMS tree: flock(2) on a file in it. The kernel takes the lock back however its holder ends, so a stale one cannot be. Its
 * text names the holder for those that wait.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { addonIfBuilt } from '../../base/addon.ts';
import { block } from '../../base/blocking.ts';

/** The lock, held until release() or the end of the process. */
export interface TreeLock {
  release(): void;
}

/** The environment of scripts and hooks names the tree that is locked already, so that a dkms they call does not wait for its caller. */
export const HELD = 'PLUGD_DKMS_LOCKED';

const LOCK = '.plugd-lock';
const PAUSE_MS = 50;
/** So many pauses pass before waiting is worth a word. */
const SILENT_PAUSES = 20;

/**
 * Waits for the lock of `dkmsTree`; `waiting` is called once, with the file and its holder (`4711 dkms autoinstall`), when that takes more
 * than a second. Without the addon, or where the tree cannot be written, there is no lock, as with dkms itself.
 */
export function lockTree(dkmsTree: string, command: string, waiting: (file: string, holder: string) => void): TreeLock {
  const native = addonIfBuilt();
  const none = { release: () => undefined };
  if (native === undefined || process.env[HELD] === dkmsTree) return none;
  const file = `${dkmsTree}/${LOCK}`;
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch {
    return none;
  }
  for (let pauses = 0; native.lockFile(fd) !== 0; pauses++) {
    if (pauses === SILENT_PAUSES) waiting(file, holderOf(file));
    block(PAUSE_MS);
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid} ${command}\n`, 0);
  process.env[HELD] = dkmsTree;
  return {
    release: () => {
      ftruncateSync(fd, 0);
      closeSync(fd);
      delete process.env[HELD];
    },
  };
}

function holderOf(file: string): string {
  try {
    const [pid = '', ...command] = readFileSync(file, 'latin1').trim().split(' ');
    return `${command.join(' ')} (process ${pid})`;
  } catch {
    return 'another process';
  }
}
