/**
 * A run's turn at the DKMS tree. Only one run changes the tree at a time, from its first look to its last file. It begins by repairing what
 * an earlier run left unfinished.
 */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { recover } from '../install/placement.ts';
import { nameOf, builtFolder } from '../tree/dkms-places.ts';
import { buildsOf, registeredModules } from '../tree/registry.ts';
import { lockTree } from '../tree/tree-lock.ts';
import type { DkmsSession } from './session.ts';

/**
 * Runs `work` with the tree's lock held; gives its status, or 1 when the tree cannot be written, which was told. `command` names this run
 * to those that wait: `dkms install`.
 */
export async function takeTurn(session: DkmsSession, command: string, work: () => Promise<number>): Promise<number> {
  const { tell, trees } = session;
  try {
    if (!existsSync(trees.dkmsTree)) mkdirSync(trees.dkmsTree, { recursive: true, mode: 0o755 });
    accessSync(trees.dkmsTree, constants.W_OK);
  } catch {
    tell({ kind: 'not-writable', dkmsTree: trees.dkmsTree });
    return 1;
  }
  const lock = lockTree(trees.dkmsTree, command, (file, holder) => {
    tell({ kind: 'waiting-for-lock', file, holder });
  });
  try {
    await recoverTree(session);
    return await work();
  } finally {
    lock.release();
  }
}

/** Repairs the tree after a run that was killed: puts its files in place or takes them back, and writes the indexes. */
async function recoverTree(session: DkmsSession): Promise<void> {
  const { trees, tell } = session;
  for (const module of registeredModules(trees)) {
    for (const { kernel } of buildsOf(trees, module)) {
      const what = recover(builtFolder(trees, module, kernel));
      if (what !== undefined) tell({ kind: 'recovered', what, module: nameOf(module) });
    }
  }
  await session.catchUp();
}
