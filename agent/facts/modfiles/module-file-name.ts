/** Names of module files: `crc16.ko`, `crc16.ko.xz`. Pure. */
import { COMPRESSION_SUFFIXES } from './compression.ts';

const ENDING = new RegExp(String.raw`.\.ko(${COMPRESSION_SUFFIXES.map((suffix) => `\\${suffix}`).join('|')})?$`, 's');

/** Whether a name or path ends as a module file's does: `crc16.ko`, `kernel/lib/crc16.ko.xz`; `.ko` alone does not count. */
export function isModuleFileName(name: string): boolean {
  return ENDING.test(name);
}

/** Without the suffix of a compression: `kernel/lib/crc16.ko.xz` → `kernel/lib/crc16.ko`. */
export function withoutCompression(path: string): string {
  const suffix = COMPRESSION_SUFFIXES.find((one) => path.endsWith(one));
  return suffix === undefined ? path : path.slice(0, -suffix.length);
}
