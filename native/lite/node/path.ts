/** node:path for plugd-lite. Source: nodejs.org/api/path.html, as node's posix implementation answers. */
import type * as Path from 'node:path';
import { host } from '../host.ts';

/** The parts without `.`, empty ones and, where something precedes it, `..`. */
function normalParts(path: string, absolute: boolean): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!absolute) out.push('..');
  }
  return out.join('/');
}

function normalize(path: string): string {
  if (path === '') return '.';
  const absolute = path.startsWith('/');
  const parts = normalParts(path, absolute);
  const end = path.endsWith('/') && parts !== '' ? '/' : '';
  return absolute ? `/${parts}${end}` : `${parts}${end}` || (path.endsWith('/') ? './' : '.');
}

function resolvePath(...paths: string[]): string {
  let whole = '';
  for (const path of paths.toReversed()) {
    if (path === '') continue;
    whole = whole === '' ? path : `${path}/${whole}`;
    if (path.startsWith('/')) break;
  }
  if (!whole.startsWith('/')) whole = `${String(host.workingFolder())}/${whole}`;
  return `/${normalParts(whole, true)}`;
}

function folderOf(path: string): string {
  if (path === '') return '.';
  const bare = path.replace(/(?<=.)\/+$/s, '');
  const at = bare.lastIndexOf('/');
  if (at < 0) return '.';
  return bare.slice(0, at).replace(/\/+$/, '') || '/';
}

function lastName(path: string, suffix?: string): string {
  const name = path.replace(/\/+$/, '').replace(/^.*\//s, '');
  return suffix !== undefined && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

type Functions = Pick<typeof Path.posix, 'resolve' | 'join' | 'dirname' | 'basename' | 'isAbsolute' | 'normalize'>;

/** Paths with `/`: `posix.join('a', '..', 'b')` → `b`. */
export const posix: Functions = {
  resolve: resolvePath,
  join: (...paths) => normalize(paths.filter((path) => path !== '').join('/')),
  dirname: folderOf,
  basename: lastName,
  isAbsolute: (path) => path.startsWith('/'),
  normalize,
};

export const { resolve, join, dirname, basename, isAbsolute } = posix;
