import { errnoName } from '../base/errno.ts';

/** Why a module could not be inserted: a closed set; `other` carries the errno. */
export type Cause =
  | 'signature'
  | 'vermagic'
  | 'unknown-symbol'
  | 'unknown-parameter'
  | 'missing-file'
  | 'missing-dependency'
  | 'cycle'
  | 'permission'
  | 'modules-disabled'
  | 'lockdown'
  | 'kernel-blacklist'
  | 'no-device'
  | 'corrupt'
  | 'compression'
  | 'no-modules-directory'
  | 'busy'
  | 'other';

/** What was known when the kernel refused. */
export interface RefusalFacts {
  /** The positive error number that finit_module(2), init_module(2) or open(2) answered. */
  readonly errno: number;
  /** Which call answered. */
  readonly during: 'open' | 'decompress' | 'insert';
  readonly modulesDisabled: boolean;
  /** The name is in the kernel's own module_blacklist=. */
  readonly kernelBlacklisted: boolean;
  /** /sys/kernel/security/lockdown is `integrity` or `confidentiality`. */
  readonly lockedDown: boolean;
  readonly capSysModule: boolean;
}

/** One row: which refusals it explains, and how. The first row that applies decides. */
interface Row {
  readonly cause: Cause;
  applies(facts: RefusalFacts, errno: string): boolean;
}

/** Source: kernel/module/main.c (finit_module's checks in their order), and each init's own errno. */
const ROWS: readonly Row[] = [
  {
    cause: 'missing-file',
    applies: (facts, errno) =>
      facts.during === 'open' && (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP'),
  },
  { cause: 'permission', applies: (facts) => facts.during === 'open' },
  { cause: 'compression', applies: (facts) => facts.during === 'decompress' },
  { cause: 'modules-disabled', applies: (facts, errno) => errno === 'EPERM' && facts.modulesDisabled },
  { cause: 'permission', applies: (facts, errno) => errno === 'EPERM' && !facts.capSysModule },
  { cause: 'kernel-blacklist', applies: (facts, errno) => errno === 'EPERM' && facts.kernelBlacklisted },
  { cause: 'lockdown', applies: (facts, errno) => errno === 'EPERM' && facts.lockedDown },
  { cause: 'permission', applies: (_, errno) => errno === 'EPERM' || errno === 'EACCES' },
  {
    cause: 'signature',
    applies: (_, errno) => /^E(KEYREJECTED|NOKEY|KEYEXPIRED|KEYREVOKED|NOPKG|BADMSG)$/.test(errno),
  },
  { cause: 'vermagic', applies: (_, errno) => errno === 'ENOEXEC' },
  { cause: 'unknown-symbol', applies: (_, errno) => errno === 'ENOENT' || errno === 'ESRCH' },
  { cause: 'no-device', applies: (_, errno) => errno === 'ENODEV' || errno === 'ENXIO' },
  { cause: 'corrupt', applies: (_, errno) => errno === 'EFBIG' || errno === 'ELIBBAD' },
  { cause: 'busy', applies: (_, errno) => errno === 'EBUSY' || errno === 'ETXTBSY' },
];

/** The cause of a refusal, from the errno and what was known; `other` when no row explains it. */
export function causeOf(facts: RefusalFacts): Cause {
  const errno = errnoName(facts.errno);
  return ROWS.find((row) => row.applies(facts, errno))?.cause ?? 'other';
}

const WORDS: Readonly<Record<Cause, string>> = {
  signature: 'the kernel trusts no key that signed it',
  vermagic: 'built for another kernel or architecture, or not a module',
  'unknown-symbol': 'needs a symbol that no loaded module exports',
  'unknown-parameter': 'does not know a parameter it was given',
  'missing-file': 'its file is not there',
  'missing-dependency': 'a module that it needs could not be loaded',
  cycle: 'its dependencies form a circle',
  permission: 'not permitted',
  'modules-disabled': 'module loading is switched off until reboot',
  lockdown: 'kernel lockdown forbids unsigned modules',
  'kernel-blacklist': 'module_blacklist= on the kernel command line names it',
  'no-device': 'found no device that it drives',
  corrupt: 'its file is damaged',
  compression: 'its file could not be decompressed',
  'no-modules-directory': 'there is no module tree for this kernel',
  busy: 'something else holds what it needs',
  other: 'refused',
};

/** `no-device` and 19 → `no-device (ENODEV): found no device that it drives`. */
export function causeText(cause: Cause, errno: number | undefined): string {
  return `${cause}${errno === undefined ? '' : ` (${errnoName(errno)})`}: ${WORDS[cause]}`;
}
