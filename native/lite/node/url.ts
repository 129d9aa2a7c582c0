/** node:url: plugd-lite has no files of its own beside it. */

/** `file:///a/b` → `/a/b`. */
export function fileURLToPath(url: string | URL): string {
  return decodeURIComponent(String(url).replace(/^file:\/\//, ''));
}

/** `/a/b` → `file:///a/b`. */
export function pathToFileURL(path: string): URL {
  return new URL(path, 'file://');
}
