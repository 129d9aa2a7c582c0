/** Files of procfs, which is the kernel's own or, with `--root`, a folder of an image that anybody may have written. Reads only. */
import type { Host } from '../../base/host.ts';
import { readText } from '../attribute.ts';
import { readTextIn } from '../regular-file.ts';

/** More than procfs has in any file read here: /proc/modules of a machine with every module loaded takes 1 MiB. */
const MOST_BYTES = 64 << 20;

/**
 * The text of a file of the host's procfs (`modules`, `sys/kernel/tainted`), latin1; undefined when it is not there or cannot be read.
 * Links in an image's folder stay inside the image (see base/root.ts).
 */
export function readProc({ root, proc }: Pick<Host, 'root' | 'proc'>, name: string): string | undefined {
  const path = `${proc}/${name}`;
  return root === '' ? readText(path) : readTextIn(root, path, MOST_BYTES);
}

/** The algorithms that the running kernel has or has loaded, from /proc/crypto: `sha256`, `rsa`. Undefined when it shows none. */
export function readCryptoNames(host: Pick<Host, 'root' | 'proc'>): ReadonlySet<string> | undefined {
  const names = [...(readProc(host, 'crypto') ?? '').matchAll(/^name +: (\S+)$/gm)].map(([, name = '']) => name);
  return names.length === 0 ? undefined : new Set(names);
}

/**
 * The fields of a process's `stat` behind its name, of `proc`: `processFields('/proc', '1')` → `['S', '0', …]`: state, parent, group, session;
 * when it began is the twentieth. Empty when it is gone.
 */
export function processFields(proc: string, pid: string): readonly string[] {
  const text = readText(`${proc}/${pid}/stat`);
  // proc(5): `pid (name) state parent …`; a name may hold anything, also brackets.
  return text === undefined ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}
