/** The modules that autoinstall looks at for a kernel. Reads only. */
import { compareVersions } from '../../conf/version-order.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../../tree/dkms-places.ts';
import { isInstalled, registeredModules, registrationOf } from '../../tree/registry.ts';
import type { DkmsSession } from '../session.ts';

/** A module that is to be installed, and the names it needs. */
export interface Candidate {
  readonly module: DkmsModule;
  readonly needs: readonly string[];
}

/** For each name the highest registered version, by what becomes of it. */
export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly installed: readonly DkmsModule[];
  /** Those without AUTOINSTALL. */
  readonly unwanted: readonly DkmsModule[];
  readonly broken: readonly DkmsModule[];
}

/** Sorts the newest versions of the tree for a kernel. */
export function findCandidates(session: DkmsSession, kernel: DkmsKernel): Candidates {
  const { trees } = session;
  const newest = new Map<string, DkmsModule>();
  const broken: DkmsModule[] = [];
  for (const module of registeredModules(trees)) {
    if (registrationOf(trees, module) === 'broken') {
      broken.push(module);
      continue;
    }
    const known = newest.get(module.name);
    if (known === undefined || compareVersions(module.version, known.version) > 0) newest.set(module.name, module);
  }
  const candidates: Candidate[] = [];
  const installed: DkmsModule[] = [];
  const unwanted: DkmsModule[] = [];
  for (const module of newest.values()) {
    const conf = session.confQuietly(module, kernel);
    if (conf?.autoinstall !== true) unwanted.push(module);
    else if (isInstalled(trees, module, kernel)) installed.push(module);
    else candidates.push({ module, needs: conf.buildDepends });
  }
  return { candidates, installed, unwanted, broken };
}

/** What of `needs` is absent, and whether nobody knows any of it: then the module waits for a package that is not configured yet. */
export function absentNeeds(
  session: DkmsSession,
  needs: readonly string[],
  isThere: (name: string) => boolean,
): { readonly absent: readonly string[]; readonly unknown: boolean } {
  const absent = needs.filter((name) => !isThere(name));
  const known = new Set(registeredModules(session.trees).map(({ name }) => name));
  return { absent, unknown: absent.length > 0 && absent.every((name) => !known.has(name)) };
}

/** Tells which modules are left out because their sources are missing. */
export function tellBroken({ tell }: DkmsSession, { broken }: Candidates): void {
  for (const module of broken) tell({ kind: 'broken', module: nameOf(module), during: 'autoinstall' });
}
