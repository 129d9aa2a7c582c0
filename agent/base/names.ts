/**
 * The names that travel through the rooms, each with the one function that makes it.
 *
 * All but paths are machine text: one character is one byte, so a MODALIAS that is not UTF-8 is matched byte for byte, as
 * fnmatch in the C locale does.
 */
import { fromMachineText } from './machine-text.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A module's name as the kernel knows it, with underscores: `snd_hda_intel`. */
export type ModuleName = Brand<string, 'ModuleName'>;
/** A device's string exactly as the kernel wrote it: `pci:v00001AF4d00001041sv…`. */
export type Modalias = Brand<string, 'Modalias'>;
/** A name or modalias ready for the indexes: '-' is '_' outside brackets. */
export type LookupKey = Brand<string, 'LookupKey'>;
/** A device's path from the kernel, without the mount point: `/devices/pci0000:00/0000:00:02.0`. */
export type Devpath = Brand<string, 'Devpath'>;

/** Where a rule stands: the file as it was opened, and the line (1 is the first) on which its logical line begins. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The module name in `text`: every '-' becomes '_' (kmod's modname_normalize); nothing else changes. */
export function moduleName(text: string): ModuleName {
  return (text.includes('-') ? text.replaceAll('-', '_') : text) as ModuleName;
}

/** `kernel/net/core/foo-bar.ko.xz` → `foo_bar`: the basename up to its first dot (kmod's path_to_modname). */
export function moduleNameFromPath(path: string): ModuleName {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dot = base.indexOf('.');
  return moduleName(dot < 0 ? base : base.slice(0, dot));
}

/**
 * The module file that an entry of modules.dep names, as an ordinary path: `kernel/a.ko` → `/lib/modules/6.1.0/kernel/a.ko`.
 * An absolute entry, of a module outside the tree, is the file itself: the root's, unless it names the root, as a depmod.d that was made
 * for it may. Bytes that are not UTF-8 are kept (fromMachineText).
 */
export function moduleFile(
  { moduleDir, root = '' }: { readonly moduleDir: string; readonly root?: string | undefined },
  listed: string,
): string {
  const path = fromMachineText(listed);
  if (!path.startsWith('/')) return `${moduleDir}/${path}`;
  return path.startsWith(`${root}/`) ? path : root + path;
}

/** The device string as received; a trailing newline of a sysfs attribute is not part of it. */
export function modalias(text: string): Modalias {
  return (text.endsWith('\n') ? text.slice(0, -1) : text) as Modalias;
}

/** `/sys/devices/x` or `/devices/x` → `/devices/x`. */
export function devpath(text: string): Devpath {
  return (text.startsWith('/sys/') ? text.slice(4) : text) as Devpath;
}

/**
 * The key under which the indexes hold `text`: '-' becomes '_' except inside `[…]` (kmod's alias_normalize).
 * Undefined when a bracket has no partner: kmod calls that EINVAL, and no index can contain it.
 */
export function lookupKey(text: string): LookupKey | undefined {
  if (!text.includes('[') && !text.includes(']'))
    return (text.includes('-') ? text.replaceAll('-', '_') : text) as LookupKey;
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x2d) {
      out += `${text.slice(from, i)}_`;
      from = i + 1;
    } else if (c === 0x5d) {
      return undefined;
    } else if (c === 0x5b) {
      const close = text.indexOf(']', i + 1);
      if (close < 0) return undefined;
      i = close;
    }
  }
  return (out + text.slice(from)) as LookupKey;
}
