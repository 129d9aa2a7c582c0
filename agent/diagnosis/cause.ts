/**
 * Why a module could not be inserted: the closed set of causes, and the table of refusals. Its rows stand in the order in
 * which the kernel checks; the first that explains decides.
 *
 * Source: kernel/module/main.c and signing.c, Linux 5.10 to 6.12: finit_module → may_init_module (CAP_SYS_MODULE,
 * modules_disabled) → read the file (LoadPin, IMA) → module_sig_check → elf_validity_check → module_blacklist → module_layout's version,
 * vermagic → symbols → parameters → init.
 */
import { errnoName, type ErrnoName } from '../base/errno.ts';
import {
  errnoIs,
  knownFactsOf,
  type Explanation,
  type Facts,
  type KnownFacts,
  type KnownInput,
} from './diagnosis-facts.ts';
import { cannotDecompress, cannotOpen, missingFile, notAModule, openFailed, unusableFile } from './diagnosis-file.ts';
import { badParameter, otherKernel, otherVersions, unknownSymbols } from './diagnosis-image.ts';
import { inUse, interrupted, noDevice, otherError, outOfMemory } from './diagnosis-init.ts';
import { distrustedFile, forbidden, kernelBlacklisted, lackOfPrivilege, modulesDisabled } from './diagnosis-kernel.ts';
import { lockedDown, mayBeLockedDown, refusedSignature } from './diagnosis-signature.ts';
import { otherLicense, otherNamespace } from './diagnosis-terms.ts';
import type { Refusal } from './evidence.ts';

/** Every cause, and what it means. docs/common.schema.json has them from here (`npm run schemas`). */
export const CAUSES = {
  signature: 'the kernel trusts no key that signed it',
  vermagic: 'built for another kernel or architecture, or not a module',
  'unknown-symbol': 'needs a symbol that no loaded module exports',
  namespace: 'needs a symbol of a namespace that it does not import',
  license: 'needs a symbol that is for GPL-compatible modules only',
  'parameter-value': 'was given a value that its parameter does not take',
  'missing-file': 'its file is not there',
  'missing-dependency': 'a module that it needs could not be loaded',
  cycle: 'its dependencies form a cycle',
  permission: 'not permitted',
  'modules-disabled': 'module loading is switched off until reboot',
  lockdown: 'kernel lockdown forbids unsigned modules',
  integrity: 'IMA or LoadPin does not trust its file',
  'kernel-blacklist': 'module_blacklist= on the kernel command line names it',
  'no-device': 'found no device that it drives',
  corrupt: 'its file is damaged',
  compression: 'its file could not be decompressed',
  'no-modules-directory': 'there is no module tree for this kernel',
  busy: 'something else holds what it needs',
  other: 'refused',
} as const;

/** Why a module could not be inserted; `other` carries the errno. */
export type Cause = keyof typeof CAUSES;

/** One way in which a module is refused. */
export type RefusalRow = {
  readonly cause: Cause;
  /** The errors that it may explain; `*` for any. */
  readonly errnos: readonly ErrnoName[] | '*';
  /** Whether the facts alone, before any call, say that the kernel will refuse. */
  readonly predicts: boolean;
} & (
  | { readonly needsFile: false; explain(facts: KnownFacts): Explanation | undefined }
  | {
      /** It explains nothing before the module's file has been read. */
      readonly needsFile: true;
      explain(facts: Facts): Explanation | undefined;
      /** Whether a refusal is put down to it until then; never when absent. */
      likely?(facts: KnownFacts): boolean;
    }
);

const SIGNATURE: readonly ErrnoName[] = ['EKEYREJECTED', 'ENOKEY', 'EKEYEXPIRED', 'EKEYREVOKED', 'ENOPKG', 'EBADMSG'];
const VERSIONS: readonly ErrnoName[] = ['EINVAL', 'ENOEXEC', 'ESRCH', 'ENOENT'];
const NO_SYMBOL: readonly ErrnoName[] = ['ENOENT', 'ESRCH'];
const NOT_IMPORTED: readonly ErrnoName[] = ['EINVAL', 'EPERM', ...NO_SYMBOL];
const BAD_VALUE: readonly ErrnoName[] = ['EINVAL', 'ERANGE', 'ENOSPC', 'EPERM'];
const NO_MODULE: readonly ErrnoName[] = ['ENOEXEC', 'EFBIG', 'ELIBBAD', 'EBADMSG'];
const NO_DEVICE: readonly ErrnoName[] = ['ENODEV', 'ENXIO'];
const IN_USE: readonly ErrnoName[] = ['EBUSY', 'ETXTBSY', 'EEXIST', 'EADDRINUSE'];

const always = () => true;
const noSymbol = ({ refusal }: KnownFacts) => errnoIs(refusal, ...NO_SYMBOL);

/** The table of refusals. The last row explains every one. */
// oxfmt-ignore
export const REFUSALS: readonly RefusalRow[] = [
  { cause: 'missing-file', errnos: ['ENOENT', 'ENOTDIR', 'ELOOP'], predicts: true, needsFile: false, explain: missingFile },
  { cause: 'permission', errnos: '*', predicts: true, needsFile: false, explain: cannotOpen },
  { cause: 'other', errnos: '*', predicts: false, needsFile: false, explain: openFailed },
  { cause: 'compression', errnos: '*', predicts: true, needsFile: false, explain: cannotDecompress },
  { cause: 'modules-disabled', errnos: ['ENOSYS', 'EPERM'], predicts: true, needsFile: false, explain: modulesDisabled },
  { cause: 'permission', errnos: ['EPERM'], predicts: true, needsFile: false, explain: lackOfPrivilege },
  { cause: 'integrity', errnos: ['EPERM', 'EACCES'], predicts: true, needsFile: false, explain: distrustedFile },
  { cause: 'signature', errnos: SIGNATURE, predicts: true, needsFile: true, explain: refusedSignature, likely: always },
  { cause: 'lockdown', errnos: ['EPERM'], predicts: true, needsFile: true, explain: lockedDown, likely: mayBeLockedDown },
  { cause: 'kernel-blacklist', errnos: ['EPERM'], predicts: true, needsFile: false, explain: kernelBlacklisted },
  { cause: 'corrupt', errnos: '*', predicts: true, needsFile: true, explain: unusableFile },
  { cause: 'vermagic', errnos: ['ENOEXEC'], predicts: true, needsFile: true, explain: otherKernel, likely: always },
  { cause: 'vermagic', errnos: VERSIONS, predicts: true, needsFile: true, explain: otherVersions },
  { cause: 'namespace', errnos: NOT_IMPORTED, predicts: true, needsFile: true, explain: otherNamespace },
  { cause: 'license', errnos: NO_SYMBOL, predicts: true, needsFile: true, explain: otherLicense },
  { cause: 'unknown-symbol', errnos: [...NO_SYMBOL, 'EINVAL'], predicts: true, needsFile: true, explain: unknownSymbols, likely: noSymbol },
  { cause: 'parameter-value', errnos: BAD_VALUE, predicts: true, needsFile: true, explain: badParameter },
  { cause: 'corrupt', errnos: NO_MODULE, predicts: false, needsFile: false, explain: notAModule },
  { cause: 'no-device', errnos: NO_DEVICE, predicts: false, needsFile: false, explain: noDevice },
  { cause: 'busy', errnos: IN_USE, predicts: false, needsFile: false, explain: inUse },
  { cause: 'permission', errnos: ['EPERM', 'EACCES'], predicts: false, needsFile: false, explain: forbidden },
  { cause: 'other', errnos: ['EINTR'], predicts: false, needsFile: false, explain: interrupted },
  { cause: 'other', errnos: ['ENOMEM'], predicts: false, needsFile: false, explain: outOfMemory },
  { cause: 'other', errnos: '*', predicts: false, needsFile: false, explain: otherError },
];

/** The rows that may explain this error. */
export function rowsFor({ errno }: Refusal): readonly RefusalRow[] {
  const name = errnoName(errno);
  return REFUSALS.filter(({ errnos }) => errnos === '*' || errnos.some((one) => one === name));
}

/** The cause of a refusal as far as it can be told before the module's file is read; the diagnosis may find another. */
export function causeOf(input: KnownInput & { readonly refusal: Refusal }): Cause {
  const facts = knownFactsOf(input);
  const explains = (row: RefusalRow) =>
    row.needsFile ? row.likely?.(facts) === true : row.explain(facts) !== undefined;
  return rowsFor(input.refusal).find(explains)?.cause ?? 'other';
}

/** `the kernel would refuse r8125`: a refusal that is foreseen, and who would refuse. */
export function foreseenText(cause: Cause, module: string): string {
  return cause === 'permission' ? `this user may not read or load ${module}` : `the kernel would refuse ${module}`;
}

/** Whether a module's init answered that it found no device, which is no failure. */
export function foundNoDevice({ errno, during }: Pick<Refusal, 'errno' | 'during'>): boolean {
  return during === 'insert' && NO_DEVICE.some((name) => name === errnoName(errno));
}

/** `no-device` and 19 → `no-device (ENODEV): found no device that it drives`. */
export function causeText(cause: Cause, errno: number | undefined): string {
  return `${cause}${errno === undefined ? '' : ` (${errnoName(errno)})`}: ${CAUSES[cause]}`;
}
