/** Facts for the diagnosis, written as what differs from a module that nothing stands in the way of. */
import { ERRNO, type ErrnoName } from '../../agent/base/errno.ts';
import type { ModuleName } from '../../agent/base/names.ts';
import {
  factsOf,
  knownFactsOf,
  type DiagnosisInput,
  type Facts,
  type KnownFacts,
} from '../../agent/diagnosis/diagnosis-facts.ts';
import type {
  BadParameter,
  ConfigEvidence,
  FileEvidence,
  FileStanding,
  KernelEvidence,
  Refusal,
  SignatureEvidence,
} from '../../agent/diagnosis/evidence.ts';
import { FULL_PRIVILEGES } from '../fixtures/confinement/privileges.ts';

/** A kernel that takes every module. */
export const KERNEL: KernelEvidence = {
  release: '6.1.0',
  moduleSupport: true,
  modulesDisabled: false,
  lockdown: 'none',
  signatureEnforced: false,
  secureBoot: 'no-efi',
  keyrings: [{ name: '.builtin_trusted_keys', count: 1, keys: [{ subject: 'Debian', id: 'aa', type: 'X509.rsa' }] }],
  privileges: FULL_PRIVILEGES,
};

/** The configuration of a kernel that looks at signatures and does not insist on them. */
export const CONFIG: ConfigEvidence = {
  file: '/boot/config-6.1.0',
  verifies: true,
  enforces: false,
  lockdown: undefined,
  allowsMissingImports: false,
};

export type Image = Extract<FileEvidence, { kind: 'module' }>;

/** A module that is built for KERNEL. */
export const IMAGE: Image = {
  kind: 'module',
  vermagic: '6.1.0 SMP mod_unload ',
  expectedVermagic: '6.1.0 SMP mod_unload ',
  architecture: 'x86_64',
  expectedArchitecture: 'x86_64',
  hasVersions: false,
  signature: { kind: 'unsigned' },
  missingSymbols: [],
  mismatches: [],
  badParameters: [],
  firmware: [],
};

type Signed = Extract<SignatureEvidence, { kind: 'signed' }>;

/** A signature of a key that the kernel trusts, and one of a key that it does not have. */
export const TRUSTED: Signed = {
  kind: 'signed',
  signer: 'Debian',
  keyId: 'AA',
  hash: 'sha256',
  trust: { kind: 'trusted', because: 'its key is in .builtin_trusted_keys' },
};
export const UNKNOWN: Signed = {
  ...TRUSTED,
  signer: 'DKMS',
  trust: { kind: 'unknown-key', looked: 'the kernel does not trust that key' },
};

/** A value that `a`, an int, does not take. */
export const BAD_VALUE: BadParameter = {
  name: 'a',
  value: 'x',
  kind: 'value',
  type: 'int',
  suggestion: undefined,
  place: undefined,
};

/** What differs from a module and a kernel without fault. */
export interface Given {
  readonly module?: string;
  readonly path?: string;
  readonly file?: Exclude<FileEvidence, Image> | Partial<Omit<Image, 'kind'>>;
  /** Null: it is for another machine. */
  readonly kernel?: Partial<KernelEvidence> | null;
  /** What differs from CONFIG; when absent, no file tells the configuration. */
  readonly config?: Partial<ConfigEvidence>;
  readonly blacklisted?: boolean;
  readonly standing?: FileStanding;
  /** What was answered, and logged; when absent, it was not tried. */
  readonly errno?: ErrnoName | number;
  readonly during?: Refusal['during'];
  readonly why?: string;
  readonly log?: readonly string[];
}

/** The input of a diagnosis of module `m`. */
export function inputOf(given: Given): DiagnosisInput {
  const { module = 'm', path = '/lib/modules/m.ko', blacklisted = false } = given;
  return {
    module: {
      module: module as ModuleName,
      path,
      file: fileOf(given.file),
      kernelBlacklist: blacklisted ? { file: '/proc/cmdline', line: 1 } : undefined,
      standing: given.standing,
    },
    kernel: given.kernel === null ? undefined : { ...KERNEL, ...given.kernel },
    config: given.config === undefined ? undefined : { ...CONFIG, ...given.config },
    refusal: refusalOf(given),
  };
}

/** The same as the rows ask it. */
export function factsGiven(given: Given): Facts {
  return factsOf(inputOf(given));
}

/** The same before the file is read. */
export function knownFactsGiven(given: Given): KnownFacts {
  return knownFactsOf(inputOf(given));
}

function fileOf(file: Given['file'] = {}): FileEvidence {
  return 'kind' in file ? file : { ...IMAGE, ...file };
}

function refusalOf({ errno, during = 'insert', why, log = [] }: Given): Refusal | undefined {
  if (errno === undefined) return undefined;
  return { errno: typeof errno === 'number' ? errno : ERRNO[errno], during, why, log };
}
