/**
 * The folder in which make works: a copy of the source, with the administrator's patches. What plugd itself writes there stays there,
 * whatever links the source holds.
 */
import { lstatSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { statHere } from '../../base/root.ts';
import { runProgram } from './process/program.ts';

/** How the copying ended; `why` is what cp said. */
export type Copying = { readonly kind: 'copied' } | { readonly kind: 'failed'; readonly why: string };

/** Removes what is at `build` and copies the source there, modes, times and owners kept. Throws what node:fs throws. */
export async function fillBuildFolder(source: string, build: string): Promise<Copying> {
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { mode: 0o755 });
  const from = realpathSync(source);
  const copying = await copyInto(from, build);
  if (copying.kind === 'copied') await keepInside(from, build, build);
  return copying;
}

/** Copies `/etc/dkms/NAME/patches` over the `patches/` of a build folder; does nothing when there is none. */
export async function overlayPatches(overlay: string, build: string): Promise<Copying> {
  if (statHere(overlay)?.isDirectory() !== true) return { kind: 'copied' };
  const patches = join(build, 'patches');
  // A link would have the overlay written where it leads.
  if (lstatSync(patches, { throwIfNoEntry: false })?.isDirectory() !== true) rmSync(patches, { force: true });
  mkdirSync(patches, { recursive: true });
  return copyInto(overlay, patches);
}

/** How many bytes of disk a folder takes, links not followed; what cannot be read counts nothing. */
export function diskUse(folder: string): number {
  return everythingBelow(folder).reduce((sum, path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return sum + (stat === undefined ? 0 : stat.blocks * 512);
  }, 0);
}

/** A reflink where the file system has them; `--remove-destination`, so that nothing is written through a link that is there. */
async function copyInto(from: string, to: string): Promise<Copying> {
  const { status, complaint } = await runProgram([
    'cp',
    '-a',
    '--reflink=auto',
    '--remove-destination',
    '--',
    `${from}/.`,
    to,
  ]);
  return status === 0 ? { kind: 'copied' } : { kind: 'failed', why: complaint.trim() };
}

/**
 * Takes out of a copy what leads out of it: a link to a file elsewhere becomes that file, so that make writes to the copy; a link to
 * a folder elsewhere stays, since it may be the whole of the kernel's headers; devices, pipes and sockets go.
 */
async function keepInside(source: string, build: string, folder: string): Promise<void> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await keepInside(source, build, path);
    else if (entry.isSymbolicLink()) await replaceLink(source, build, path);
    else if (!entry.isFile()) rmSync(path, { force: true });
  }
}

async function replaceLink(source: string, build: string, link: string): Promise<void> {
  // Where a relative link leads is a matter of the source: the copy lies elsewhere.
  const original = join(source, link.slice(build.length));
  const target = realpath(original);
  if (target === undefined || target === source || target.startsWith(`${source}/`)) return;
  if (statSync(target).isFile()) {
    rmSync(link);
    await runProgram(['cp', '-p', '--reflink=auto', '--', target, link]);
  }
}

function realpath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // It leads nowhere, here and there.
  }
}

function everythingBelow(folder: string): readonly string[] {
  try {
    // With types: without them Node 20 follows links, round and round if they lead up.
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.map(({ parentPath, name }) => join(parentPath, name));
  } catch {
    return [];
  }
}
