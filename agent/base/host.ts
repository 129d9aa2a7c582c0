/** The machine that plugd works on: its paths and release. Finds the release; reads nothing else. */
import { release } from 'node:os';
import { resolve } from 'node:path';
import { PlugdError } from './error.ts';
import { listInRoot, statInRoot } from './root.ts';

/** What a command line says about the machine to work on. */
export interface HostOptions {
  /** Another file system tree (`--root`); the live machine when absent. */
  readonly root?: string | undefined;
  /** The kernel release whose module tree is used (`--kernel`). */
  readonly kernel?: string | undefined;
  /** Where sysfs is (`--sysfs`): `/sys`, or a plain tree that looks like it. */
  readonly sysfs?: string | undefined;
  /** Where procfs is: `/proc`, or a plain tree that looks like it. */
  readonly proc?: string | undefined;
}

/** Whether the running kernel's procfs counts. */
export interface OfflineOptions {
  /**
   * Keeps the running kernel's loaded modules and command line out of what is said of another machine. `true`: with a root, that root's /proc
   * is read. `'recorded'`: the question is about devices of another machine, or about a kernel that does not run, so without a root there
   * is no procfs at all. A given `proc` wins.
   */
  readonly offline?: boolean | 'recorded' | undefined;
}

/** A path without a procfs: reads below it find nothing. */
const NOWHERE = '/dev/null';

/** The machine plugd works on: where its files are and which release it runs. Every path is absolute. */
export interface Host {
  /** Prefix of configuration and module tree: '' for the live machine, else without a trailing slash. */
  readonly root: string;
  readonly kernel: string;
  /** `ROOT/lib/modules/RELEASE`, or another folder of MODULE_ROOTS where only that exists. */
  readonly moduleDir: string;
  readonly sysfs: string;
  readonly proc: string;
}

/**
 * Where distributions install modules. NixOS and Guix have them nowhere else than in the system that was booted, and in the one that is set up
 * for the next boot: their kmod is changed to look there.
 */
const MODULE_ROOTS = [
  '/lib/modules',
  '/usr/lib/modules',
  '/run/booted-system/kernel-modules/lib/modules',
  '/run/current-system/kernel-modules/lib/modules',
  '/run/booted-system/kernel/lib/modules',
  '/run/current-system/kernel/lib/modules',
];

/**
 * The host that `options` name. With a root but no release: the running release if the tree has it, else the only
 * release there is. Errors: `usage` when the root is no directory or holds several releases and none was named.
 */
export function openHost(options: HostOptions & OfflineOptions = {}): Host {
  const root = rootOf(options);
  if (root !== '' && !isDirectory('', root)) {
    throw new PlugdError('usage', `--root ${options.root}: not a directory`);
  }
  const kernel = options.kernel ?? (root === '' ? release() : releaseOf(root));
  return {
    root,
    kernel,
    moduleDir: moduleDirOf(root, kernel),
    sysfs: options.sysfs === undefined ? '/sys' : resolve(options.sysfs),
    proc: options.proc === undefined ? procOf(root, options.offline) : resolve(options.proc),
  };
}

function procOf(root: string, offline: OfflineOptions['offline'] = false): string {
  if (offline === false || (offline === true && root === '')) return '/proc';
  return `${root === '' ? NOWHERE : root}/proc`;
}

/**
 * The folder of a kernel's modules: `moduleDirOf('', '6.1.0-56-amd64')` is `/lib/modules/6.1.0-56-amd64`, or where the distribution has it;
 * the first of these when there is none.
 */
export function moduleDirOf(root: string, kernel: string): string {
  const candidates = MODULE_ROOTS.map((dir) => `${root}${dir}/${kernel}`);
  return candidates.find((path) => isDirectory(root, path)) ?? `${root}/lib/modules/${kernel}`;
}

/** `{ root: 'image/' }` → `/mnt/image`: Host's root, absolute, '' for the live machine. */
export function rootOf({ root }: Pick<HostOptions, 'root'>): string {
  return root === undefined ? '' : resolve(root).replace(/\/+$/, '');
}

/** The releases that have a directory under the host's module root, sorted; empty when there is none. */
export function installedReleases(root: string): readonly string[] {
  const found = new Set<string>();
  for (const dir of MODULE_ROOTS) {
    const entries = listInRoot(root, root + dir);
    if (typeof entries === 'number') continue; // No such directory: that root has no modules there.
    for (const { name } of entries) if (isDirectory(root, `${root}${dir}/${name}`)) found.add(name);
  }
  return [...found].toSorted();
}

function releaseOf(root: string): string {
  const there = installedReleases(root);
  const running = release();
  if (there.includes(running) || there.length === 0) return running;
  if (there.length === 1 && there[0] !== undefined) return there[0];
  throw new PlugdError('usage', `${root}/lib/modules holds several releases: ${there.join(', ')}`, {
    remedy: 'name one with --kernel',
  });
}

function isDirectory(root: string, path: string): boolean {
  return statInRoot(root, path)?.isDirectory() ?? false;
}
