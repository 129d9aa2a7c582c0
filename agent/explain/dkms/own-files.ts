/** The installed files of modules that a system builds itself: who signed them, and whether the initramfs has older copies. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleFile, type ModuleName } from '../../base/names.ts';
import type { SignatureEvidence } from '../../diagnosis/evidence.ts';
import { nameOf } from '../../dkms/tree/dkms-places.ts';
import type { ModuleReadiness } from '../../dkms/tree/readiness.ts';
import { readImage } from '../../facts/initramfs/image-contents.ts';
import { findImage } from '../../facts/initramfs/image-files.ts';
import type { Sources } from '../../load/sources.ts';
import { Examiner } from '../examination.ts';
import { copyFault } from './image-copy.ts';

/** An installed module. */
export interface OwnFile {
  readonly module: ModuleName;
  /** `v4l2loopback/0.12.7` */
  readonly of: string;
  readonly path: string;
  readonly signature: SignatureEvidence;
  /** The image with another copy, and what is different; undefined when there is none. */
  readonly stale?: { readonly image: string; readonly because: string } | undefined;
}

/** The files of the packages that are installed for the host's kernel; none of a package whose modules the tree does not have. */
export function readOwnFiles(host: Host, sources: Sources, outOfTree: readonly ModuleReadiness[]): readonly OwnFile[] {
  const examiner = new Examiner(host, sources);
  const own: OwnFile[] = [];
  for (const { readiness, modules, module } of outOfTree) {
    if (readiness !== 'installed' && readiness !== 'older') continue;
    for (const name of modules) {
      const found = sources.matcher.dependencies(name);
      if (found === undefined) continue;
      const path = moduleFile(host, found.path);
      const { file } = examiner.examine({ module: name, path, parameters: [], before: new Set() });
      if (file.kind === 'module') own.push({ module: name, of: nameOf(module), path, signature: file.signature });
    }
  }
  if (own.length === 0) return own;
  const stale = staleCopies(host, sources, new Set(own.map(({ module }) => module)));
  return own.map((file) => ({ ...file, stale: stale.get(file.module) }));
}

function staleCopies(
  host: Host,
  sources: Sources,
  wanted: ReadonlySet<ModuleName>,
): ReadonlyMap<ModuleName, NonNullable<OwnFile['stale']>> {
  const stale = new Map<ModuleName, NonNullable<OwnFile['stale']>>();
  const { file } = findImage(host);
  const tree = file === undefined ? undefined : readImage(host.root, file).contents.trees.get(host.kernel);
  if (file === undefined || tree === undefined) return stale;
  for (const copy of tree.modules.values()) {
    if (!wanted.has(copy.name)) continue;
    const because = copyFault(host, sources, tree, copy);
    if (because !== undefined) stale.set(copy.name, { image: file, because });
  }
  return stale;
}
