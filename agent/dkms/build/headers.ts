/** Whether a kernel's headers are there, and where to get them. */
import { readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { statHere } from '../../base/root.ts';
import type { OsRelease } from '../../facts/config/os-release.ts';
import type { BuildMessage } from '../../records/dkms/build-message.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import type { BuildKernel } from './build-request.ts';
import { isContainer, missingMounts } from './container.ts';

/** Whether a folder has a kernel's headers: `include/` is in it, the only sign that dkms looks for. */
export function hasHeaders(sourceDir: string): boolean {
  return statHere(`${sourceDir}/include`)?.isDirectory() ?? false;
}

/**
 * What to tell when a kernel has no headers: dkms's words, then the package that has them. Empty when they are there; `os` is undefined
 * when nobody knows the distribution. A container is told what its host has.
 */
export function headersRefusal(
  { release, sourceDir }: Pick<BuildKernel, 'release' | 'sourceDir'>,
  { installTree }: Pick<DkmsTrees, 'installTree'>,
  os: OsRelease | undefined,
  container = isContainer(),
): readonly BuildMessage[] {
  if (hasHeaders(sourceDir)) return [];
  const dangling = danglingLink(sourceDir);
  const name = os === undefined ? undefined : headersPackage(os, release);
  const mounts = container ? missingMounts({ installTree, release, target: dangling?.target }) : [];
  const hint = { kind: 'headers-hint', package: name, dangling, mounts } as const;
  return [
    {
      kind: 'headers-missing',
      kernel: release,
      build: sourceDir,
      source: `${installTree}/${release}/source`,
    },
    ...(name === undefined && dangling === undefined && mounts.length === 0 ? [] : [hint]),
  ];
}

/**
 * The package with a kernel's headers: `headersPackage({ id: 'debian', like: [] }, '6.1.0-56-amd64')` → `linux-headers-6.1.0-56-amd64`;
 * undefined for a distribution that plugd does not know, or a kernel that is not its own.
 */
export function headersPackage({ id: own, like }: OsRelease, release: string): string | undefined {
  for (const id of [own, ...like]) {
    const name = PACKAGES[id]?.(release);
    if (name !== undefined) return name;
  }
  return undefined;
}

const rpm = (release: string) => `kernel-devel-${release}`;

/** By ID of os-release. */
const PACKAGES: Readonly<Record<string, (release: string) => string | undefined>> = {
  debian: (release) => `linux-headers-${release}`,
  ubuntu: (release) => `linux-headers-${release}`,
  fedora: rpm,
  rhel: rpm,
  centos: rpm,
  suse: (release) =>
    /-([a-z]+)$/.exec(release) === null ? undefined : `kernel-${/-([a-z]+)$/.exec(release)?.[1]}-devel`,
  arch: (release) => `linux${/-(lts|zen|hardened)$/.exec(release)?.[0] ?? ''}-headers`,
  alpine: (release) => `linux-${/-([a-z]+)$/.exec(release)?.[1] ?? 'lts'}-dev`,
  void: (release) => `linux${/^\d+\.\d+/.exec(release)?.[0] ?? ''}-headers`,
};

/** A link whose target is missing: in a container, the host's headers are not mounted. */
function danglingLink(sourceDir: string): { readonly link: string; readonly target: string } | undefined {
  try {
    const target = resolve(dirname(sourceDir), readlinkSync(sourceDir));
    return statHere(target) === undefined ? { link: sourceDir, target } : undefined;
  } catch {
    return undefined; // No link.
  }
}
