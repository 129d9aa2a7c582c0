/**
 * Directories of configuration files, as kmod and udev merge them: the files of all directories are one list, sorted by
 * file name. A name that stands in two directories counts once, from the directory named first: an empty file or a link
 * to /dev/null in /etc masks the distribution's file of that name.
 *
 *     /etc/modprobe.d/nouveau.conf  →  masks /usr/lib/modprobe.d/nouveau.conf
 *     /run/modprobe.d/a.conf, /etc/modprobe.d/b.conf  →  a.conf, then b.conf
 *
 * The depmod files modules.softdep and modules.weakdep are members of kmod's list under these names: what should come
 * before them must sort before `modules.softdep`, since the first matching line wins.
 *
 * Sources: modprobe.d(5), depmod.d(5), udev(7), libkmod's kmod_config_new.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { fsCode } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { readText } from '../attribute.ts';

/** A configuration file as it was read, latin1: one character is one byte. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/** A file or directory that should count and does not: `/etc/modprobe.d/a.conf`, `permission denied`. */
export interface UnreadText {
  readonly file: string;
  readonly why: string;
}

/** What a family of directories holds, in the order in which it counts, and what could not be read. */
export interface ConfigTexts {
  readonly texts: readonly ConfigText[];
  readonly unread: readonly UnreadText[];
}

/** A file that does not count, because `by` has the same name in a directory that comes first. */
export interface HiddenText {
  readonly file: string;
  readonly by: string;
}

/** What a family of directories holds, with the files in it that others hide. */
export interface ConfigFamily extends ConfigTexts {
  readonly hidden: readonly HiddenText[];
}

/** Where to look instead of the usual places. */
export interface ConfigPlaces {
  /** Directories or single files that replace the list of directories (`-C`), as they are; missing ones are passed over. */
  readonly paths?: readonly string[] | undefined;
  /** The prefix of the usual directories instead of the host's root: '' for this machine's, as kmod has it. */
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
  return readFamily(directories(host, 'modprobe.d', places), '.conf', own);
}

/** depmod's configuration: depmod.d/*.conf, merged the same way. */
export function readDepmodConfig(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(directories(host, 'depmod.d', places), '.conf');
}

/** udev's rules: udev/rules.d/*.rules, merged the same way. */
export function readUdevRules(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(directories(host, 'udev/rules.d', places), '.rules');
}

/** Lists of modules to load at boot: modules-load.d/*.conf, merged the same way. */
export function readModulesLoad(host: Host, places: ConfigPlaces = {}): ConfigFamily {
  return readFamily(directories(host, 'modules-load.d', places), '.conf');
}

/** The kernel command line, without its newline; the text is empty where there is none. */
export function readKernelCommandLine(host: Host): ConfigText {
  const file = `${host.proc}/cmdline`;
  return { file, text: (readText(file) ?? '').replace(/\n+$/, '') };
}

/** Every directory that a change of modprobe's configuration or of udev's rules can happen in, there or not. */
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
  /** How it is read: a file named by itself may be a pipe, which can be read only once; a device only masks. */
  readonly as: 'member' | 'single' | 'mask' | 'optional';
}

function readFamily(paths: readonly string[], suffix: string, optional: readonly string[] = []): ConfigFamily {
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
    let names: string[];
    try {
      names = readdirSync(path);
      // Where /lib is a link to /usr/lib both are the same directory.
      const { dev, ino } = statSync(path);
      if (seen.has(`${dev}:${ino}`)) continue;
      seen.add(`${dev}:${ino}`);
    } catch (error) {
      const code = fsCode(error) ?? '';
      if (code === 'ENOTDIR' && existsSync(path)) take({ file: path, as: 'single' });
      else if (code !== 'ENOENT' && code !== 'ENOTDIR') unread.push({ file: path, why: WHY[code] ?? code });
      continue;
    }
    for (const name of names) {
      if (name.startsWith('.') || name.length <= suffix.length || !name.endsWith(suffix)) continue;
      // A name that is masked already needs no look at what it is.
      const first = byName.get(name);
      if (first !== undefined) {
        hidden.push({ file: `${path}/${name}`, by: first.file });
        continue;
      }
      const entry = look(`${path}/${name}`);
      if ('as' in entry) take(entry);
      else unread.push(entry);
    }
  }
  const texts: ConfigText[] = [];
  for (const [, entry] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const text = read(entry);
    if (typeof text === 'string') texts.push({ file: entry.file, text });
    else if (entry.as !== 'optional' || text.why !== WHY['ENOENT']) unread.push(text);
  }
  return { texts, unread, hidden };
}

/** What an entry of a directory is. One that cannot be read as a file takes no part, not even as a mask. */
function look(file: string): Entry | UnreadText {
  try {
    const stat = statSync(file);
    if (stat.isFile()) return { file, as: 'member' };
    if (stat.isCharacterDevice()) return { file, as: 'mask' };
    return { file, why: stat.isDirectory() ? 'a directory, not a file' : 'not a regular file' };
  } catch (error) {
    const code = fsCode(error) ?? '';
    return { file, why: code === 'ENOENT' ? 'a symbolic link to nothing' : (WHY[code] ?? code) };
  }
}

function read({ file, as }: Entry): string | UnreadText {
  if (as === 'mask') return '';
  const text = as === 'single' ? undefined : readText(file);
  if (text !== undefined) return text;
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    const code = fsCode(error) ?? '';
    return { file, why: WHY[code] ?? code };
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'a directory, not a file',
  ELOOP: 'a symbolic link that leads to itself',
  EIO: 'input/output error',
  ENOENT: 'no such file',
};

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
