/** Containers that build for their host: whether this is one, and which of the host's folders it lacks. Reads only. */
import { existsSync } from 'node:fs';
import { readText } from '../../facts/attribute.ts';

/** Whether this process runs in a container, by the marks of Docker, Podman and systemd. */
export function isContainer(root = ''): boolean {
  if (existsSync(`${root}/.dockerenv`) || existsSync(`${root}/run/.containerenv`)) return true;
  return (readText(`${root}/proc/1/environ`) ?? '').split('\0').some((word) => /^container=./.test(word));
}

/** What a container has of a kernel. */
export interface ContainerTrees {
  /** `/lib/modules` */
  readonly installTree: string;
  readonly release: string;
  /** Where the link to the headers leads, if that is not there. */
  readonly target: string | undefined;
}

/**
 * The folders to mount from the host: `/lib/modules` when the kernel's tree is missing, and what its link to the headers leads to. On Debian
 * headers have their programs in another folder still. Empty when nothing of it is missing.
 */
export function missingMounts({ installTree, release, target }: ContainerTrees): readonly string[] {
  const tree = existsSync(`${installTree}/${release}`) ? [] : [installTree];
  // Without the tree nobody knows where its link leads; all distributions have /usr/src.
  if (tree.length > 0) return existsSync(`/usr/src/linux-headers-${release}`) ? tree : [...tree, '/usr/src'];
  if (target === undefined) return [];
  if (!target.startsWith('/usr/src/')) return [target];
  const programs = `/usr/lib/linux-kbuild-${release.replace(/\.[^.]*$/, '')}`;
  return target.startsWith('/usr/src/linux-headers-') && !existsSync(programs) && existsSync('/etc/debian_version')
    ? ['/usr/src', programs]
    : ['/usr/src'];
}
