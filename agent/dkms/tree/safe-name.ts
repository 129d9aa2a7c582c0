/** Names that may become directories of the DKMS tree. Pure. */
import type { DkmsModule } from './dkms-places.ts';

/** Names are at most this long: as long as a file's may be. */
const LONGEST = 255;

/** Whether a module's name, a version, a kernel's release or an architecture can be the name of a directory and stays in its place. */
export function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name.length <= LONGEST && !hasForbidden(name);
}

/** Which part of a module cannot be a directory's name; undefined when both can. */
export function unsafePart({
  name,
  version,
}: DkmsModule): { readonly what: string; readonly value: string } | undefined {
  if (!isSafeName(name)) return { what: 'module name', value: name };
  return isSafeName(version) ? undefined : { what: 'version', value: version };
}

/** A slash would lead elsewhere; control characters would spoil the lines of scripts and terminals. */
function hasForbidden(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code === 0x7f || name[i] === '/') return true;
  }
  return false;
}
