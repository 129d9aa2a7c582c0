/** node:url: plugd-lite has no files of its own beside it. */

/** `file:///a/b` → `/a/b`. */
export function fileURLToPath(url: string | URL): string {
  return decodeURIComponent(String(url).replace(/^file:\/\//, ''));
}
