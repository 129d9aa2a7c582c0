/**
 * What the kernel demands of files that it reads, modules among them, beside signatures; and what a file has to show. Reads only.
 *
 *     /proc/sys/kernel/loadpin/enforce, before 5.9 enabled      1: all from one file system
 *     LoadPin: kernel-module pinned obj="/lib/modules/…"        in the kernel's log: the first file, whose file system that is
 *     ima_policy=secure_boot|appraise_tcb on the command line   signatures in security.ima; not with ima_appraise=log, fix or off
 *     security.ima                                              a type in the first byte, then 1: SHA-1; 4: algorithm, hash;
 *                                                               3 and 6: version, algorithm, key (4 bytes), length (2), signature
 *
 * Sources: Documentation/admin-guide/LSM/LoadPin.rst, security/loadpin/loadpin.c, security/integrity/ima/ima_policy.c, security/integrity/integrity.h.
 */
import { closeSync, constants } from 'node:fs';
import { addon } from '../../base/addon.ts';
import { ERRNO, errnoText } from '../../base/errno.ts';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { openInRoot } from '../../base/root.ts';
import { readKernelCommandLine } from '../config/config-text.ts';
import { readKernelLog } from './kernel-log.ts';
import { mountOf, parseMounts } from './mount-info.ts';
import { readProc } from './procfs.ts';

/** Which of them are on. A policy that was loaded later shows nowhere. */
export interface FileGuards {
  readonly loadPin: boolean;
  /** Where the first file that LoadPin let through lies; undefined when the log does not say it (any more). */
  readonly pinned?: FilePlace | undefined;
  /** The parameter by which IMA appraises modules: `ima_policy=secure_boot`. */
  readonly appraisal: string | undefined;
}

/** A file and the file system that it lies on. */
export interface FilePlace {
  readonly path: string;
  /** `8:1` */
  readonly device: string;
  /** `/dev/sda1 on /` */
  readonly mount: string;
}

/** What a file's attribute security.ima has: `algorithm` as the kernel calls it, `keyId` in hexadecimal. */
export type ImaMark =
  | { readonly kind: 'none' }
  | { readonly kind: 'hash'; readonly algorithm: string }
  | { readonly kind: 'signature'; readonly keyId: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** Those of the running kernel. */
export function readFileGuards(host: Host): FileGuards {
  const loadPin = ['enforce', 'enabled'].map((name) => readProc(host, `sys/kernel/loadpin/${name}`)?.trim());
  const appraisal = appraisalIn(readKernelCommandLine(host).text);
  if (!loadPin.includes('1')) return { loadPin: false, appraisal };
  const first = pinnedIn((readKernelLog() ?? []).map(({ text }) => text));
  return { loadPin: true, pinned: first === undefined ? undefined : readFilePlace(host, first), appraisal };
}

/** The first file that LoadPin let through, by the kernel's log; undefined when that does not say it. */
export function pinnedIn(log: readonly string[]): string | undefined {
  for (const line of log) {
    const path = /^LoadPin: kernel-module pinned obj="([^"]+)"/.exec(line)?.[1];
    if (path !== undefined) return path;
  }
  return undefined;
}

/** On which file system a file of this machine lies; undefined when the mount table does not say it. */
export function readFilePlace(host: Host, path: string): FilePlace | undefined {
  const mount = mountOf(parseMounts(readProc(host, 'self/mountinfo') ?? ''), path);
  return mount && { path, device: mount.device, mount: `${mount.source} on ${mount.place}` };
}

/** The parameter of a command line that has IMA appraise modules, and refuse those that do not pass. */
export function appraisalIn(line: string): string | undefined {
  const words = line.split(/\s+/).map((word) => word.replaceAll('"', ''));
  const mode = words.findLast((word) => word.startsWith('ima_appraise='));
  if (mode !== undefined && mode !== 'ima_appraise=enforce') return undefined;
  return words.find(
    (word) => /^ima_policy=(.*\|)?(secure_boot|appraise_tcb)(\||$)/.test(word) || word === 'ima_appraise_tcb',
  );
}

/** security.ima of a file; `unknown` where it cannot be read. */
export function readImaMark(root: string, path: string): ImaMark {
  const fd = openInRoot(root, path, constants.O_RDONLY);
  if (fd < 0) return { kind: 'unknown', why: errnoText(-fd).toLowerCase() };
  try {
    const value = addon().fileAttribute(fd, 'security.ima');
    if (typeof value !== 'number') return imaMarkOf(value);
    if (value === -ERRNO.ENODATA) return { kind: 'none' };
    const isWithout = value === -ERRNO.EOPNOTSUPP;
    return {
      kind: 'unknown',
      why: isWithout ? 'its file system has no such attributes' : errnoText(-value).toLowerCase(),
    };
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
    return { kind: 'unknown', why: 'the addon is missing' };
  } finally {
    closeSync(fd);
  }
}

/** enum hash_algo. */
const ALGORITHMS = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224'];

/** What the bytes of security.ima are. */
export function imaMarkOf(value: Uint8Array): ImaMark {
  const [type, second = 0] = value;
  if (type === 1) return { kind: 'hash', algorithm: 'sha1' };
  if (type === 4) return { kind: 'hash', algorithm: ALGORITHMS[second] ?? `algorithm ${second}` };
  if ((type === 3 || type === 6) && value.length > 9)
    return { kind: 'signature', keyId: Buffer.from(value.subarray(3, 7)).toString('hex') };
  return { kind: 'unknown', why: 'security.ima is of an unknown form' };
}
