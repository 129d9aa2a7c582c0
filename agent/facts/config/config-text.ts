/**
 * Reads directories of configuration files and merges them as kmod and udev do: one list of all files, sorted by file name. A
 * name in two directories counts once, from the directory named first: an empty file or a link to /dev/null in /etc masks the
 * distribution's file of that name. Reads text; rules/ parses it.
 *
 *     /etc/modprobe.d/nouveau.conf  →  masks /usr/lib/modprobe.d/nouveau.conf
 *     /run/modprobe.d/a.conf, /etc/modprobe.d/b.conf  →  a.conf, then b.conf
 *
 * The depmod files modules.softdep and modules.weakdep are members of kmod's list under these names. A file that should come
 * before them must sort before `modules.softdep`, since the first matching line wins.
 *
 * Sources: modprobe.d(5), depmod.d(5), udev(7), libkmod's kmod_config_new.
 */
import { readFileSync } from 'node:fs';
import { ERRNO, errnoOf } from '../../base/errno.ts';
import type { Host } from '../../base/host.ts';
import { existsInRoot, listInRoot, lookInRoot, readLinkInRoot, statInRoot } from '../../base/root.ts';
import { readProc } from '../kernel/procfs.ts';
import { faultOf, readRegularFile } from '../regular-file.ts';

/** A configuration file as it was read, latin1: one character is one byte. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/** A file or directory that should count but cannot be read: `/etc/modprobe.d/a.conf`, `permission denied`. */
export interface UnreadText {
  readonly file: string;
  readonly why: string;
}

/** The files of a family of directories, in the order in which they count, and those that could not be read. */
export interface ConfigTexts {
  readonly texts: readonly ConfigText[];
  readonly unread: readonly UnreadText[];
}

/** A file that does not count, because `by` has the same name in a directory that comes first. */
export interface HiddenText {
  readonly file: string;
  readonly by: string;
}

/** The files of a family of directories, with those that others hide. */
export interface ConfigFamily extends ConfigTexts {
  readonly hidden: readonly HiddenText[];
}

/** Where to look instead of the usual places. */
export interface ConfigPlaces {
  /** Directories or single files that replace the list of directories (`-C`), as they are; missing ones are skipped. */
  readonly paths?: readonly string[] | undefined;
  /** The prefix of the usual directories instead of the host's root: '' for this machine's, as in kmod. */
  readonly root?: string | undefined;
}

/** The directories that hold a family's files, most important first. */
const PLACES = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];

/**
 * modprobe's configuration in the order of kmod's list: modprobe.d/*.conf with modules.softdep and modules.weakdep of
 * the module tree among them. Empty lists when there is nothing.
 */
export function readModprobeConfig(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  const own = ['modules.softdep', 'modules.weakdep'].map((name) => `${host.moduleDir}/${name}`);
  return readFamily(host.root, directories(host, 'modprobe.d', places), '.conf', own);
}

/** depmod's configuration: depmod.d/*.conf, merged the same way. */
export function readDepmodConfig(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(host.root, directories(host, 'depmod.d', places), '.conf');
}

/** udev's rules: udev/rules.d/*.rules, merged the same way. */
export function readUdevRules(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(host.root, directories(host, 'udev/rules.d', places), '.rules');
}

/** Lists of modules to load at boot: modules-load.d/*.conf, merged the same way. */
export function readModulesLoad(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(host.root, directories(host, 'modules-load.d', places), '.conf');
}

/** The kernel command line, without its newline; the text is empty where there is none. */
export function readKernelCommandLine(host: Host): ConfigText {
  const file = `${host.proc}/cmdline`;
  return { file, text: (readProc(host, 'cmdline') ?? '').replace(/\n+$/, '') };
}

/** Every directory where a change can alter modprobe's configuration or udev's rules, there or not. */
export function watchedConfigDirectories(host: Host): readonly string[] {
  return ['modprobe.d', 'udev/rules.d'].flatMap((family) => configDirectories(host, family));
}

/** The directories of a family (`modprobe.d`), there or not, most important first. */
export function configDirectories(host: Host, family: string): readonly string[] {
  return directories(host, family, {});
}

function directories(host: Host, family: string, places: ConfigPlaces): readonly string[] {
  return places.paths ?? PLACES.map((place) => `${places.root ?? host.root}${place}/${family}`);
}

interface Entry {
  readonly file: string;
  /** `single`: named by itself, so it may be a pipe, which can be read only once. `optional`: it may be missing. */
  readonly as: 'member' | 'single' | 'mask' | 'optional';
}

/** The largest configuration file of a distribution has 200 KiB. */
const MOST_BYTES = 16 << 20;

function readFamily(
  root: string,
  paths: readonly string[],
  suffix: string,
  optional: readonly string[] = [],
): ConfigFamily {
  const unread: UnreadText[] = [];
  const hidden: HiddenText[] = [];
  const seen = new Set<string>();
  const byName = new Map<string, Entry>();
  const take = (entry: Entry) => {
    const name = baseName(entry.file);
    if (!byName.has(name)) byName.set(name, entry);
  };
  for (const file of optional) take({ file, as: 'optional' });
  for (const path of paths) {
    const entries = listInRoot(root, path);
    if (typeof entries === 'number') {
      if (entries === -ERRNO.ENOTDIR && existsInRoot(root, path)) take({ file: path, as: 'single' });
      else if (entries !== -ERRNO.ENOENT && entries !== -ERRNO.ENOTDIR)
        unread.push({ file: path, why: faultOf(-entries).why });
      continue;
    }
    // Where /lib is a link to /usr/lib both are the same directory.
    const { dev, ino } = statInRoot(root, path) ?? {};
    if (seen.has(`${dev}:${ino}`)) continue;
    seen.add(`${dev}:${ino}`);
    for (const { name } of entries) {
      if (name.startsWith('.') || name.length <= suffix.length || !name.endsWith(suffix)) continue;
      // A name that is already masked needs no look at its type.
      const first = byName.get(name);
      if (first !== undefined) {
        hidden.push({ file: `${path}/${name}`, by: first.file });
        continue;
      }
      const entry = look(root, `${path}/${name}`);
      if ('as' in entry) take(entry);
      else unread.push(entry);
    }
  }
  const texts: ConfigText[] = [];
  for (const [, entry] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const text = read(root, entry);
    if (typeof text === 'string') texts.push({ file: entry.file, text });
    else if (text !== undefined) unread.push(text);
  }
  return { texts, unread, hidden };
}

/**
 * The type of a folder's entry. One that cannot be read as a file takes no part, not even as a mask. A link to /dev/null masks
 * in an image without devices, too.
 */
function look(root: string, file: string): Entry | UnreadText {
  const stat = lookInRoot(root, file);
  if (typeof stat !== 'number') {
    if (stat.isFile()) return { file, as: 'member' };
    if (stat.isCharacterDevice()) return { file, as: 'mask' };
    return { file, why: stat.isDirectory() ? faultOf(ERRNO.EISDIR).why : 'not a regular file' };
  }
  if (stat === -ERRNO.ENOENT && readLinkInRoot(root, file) === '/dev/null') return { file, as: 'mask' };
  return { file, why: stat === -ERRNO.ENOENT ? 'a symbolic link to nothing' : faultOf(-stat).why };
}

function read(root: string, { file, as }: Entry): string | UnreadText | undefined {
  if (as === 'mask') return '';
  if (as === 'single') return readSingle(file);
  const content = readRegularFile(root, file, MOST_BYTES);
  if (content.kind === 'bytes') return content.bytes.toString('latin1');
  if (content.kind === 'fault') return { file, why: content.why };
  return as === 'optional' ? undefined : { file, why: faultOf(ERRNO.ENOENT).why };
}

/** A file that a person named (`-C <(generate)`): this read waits for a pipe. */
function readSingle(file: string): string | UnreadText {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    return { file, why: faultOf(errnoOf(error, ERRNO.EIO)).why };
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
