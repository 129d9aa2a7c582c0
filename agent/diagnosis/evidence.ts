/**
 * What is known when a module is refused, or asked about beforehand: the kernel's state, this process's, the module's file.
 * Plain data: explain/ reads it, the diagnosis is made from it alone.
 */
import type { ModuleName, Place } from '../base/names.ts';
import type { FilePlace, ImaMark } from '../facts/kernel/file-guards.ts';
import type { Keyring } from '../facts/kernel/keyring.ts';
import type { KernelState } from '../facts/kernel/kernel-state.ts';
import type { Lockdown, SecureBoot } from '../facts/kernel/lockdown.ts';

/** The kernel and this process, and what decides about signatures. */
export interface KernelEvidence extends KernelState {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  readonly signatureEnforced: boolean | undefined;
  readonly secureBoot: SecureBoot['state'];
  readonly keyrings: readonly Keyring[];
}

/** What the configuration that a kernel was built with decides about every module. Of a running kernel its state counts first. */
export interface ConfigEvidence {
  /** `/boot/config-6.1.0-56-amd64` */
  readonly file: string;
  /** CONFIG_MODULE_SIG: it looks at signatures. */
  readonly verifies: boolean;
  /** CONFIG_MODULE_SIG_FORCE: it takes only modules signed with a trusted key. */
  readonly enforces: boolean;
  /** CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY or _CONFIDENTIALITY, where the lockdown module runs. */
  readonly lockdown: Exclude<Lockdown, 'none'> | undefined;
  /** CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS: a namespace that is not imported is a warning. */
  readonly allowsMissingImports: boolean;
}

/** Whether a key that the kernel trusts made the signature. */
export type KeyTrust =
  /** A loaded module has a signature of the same key and no taint, or the key is in a keyring by its id. */
  | { readonly kind: 'trusted'; readonly because: string }
  /**
   * No keyring has a key of that signer or id. `unusable`: it is enrolled, and the kernel has no code for keys of its kind; `waits`: it is
   * to be enrolled at the next boot; `certificate`: a file of this machine that has its certificate.
   */
  | {
      readonly kind: 'unknown-key';
      readonly looked: string;
      readonly unusable?: boolean | undefined;
      readonly waits?: boolean | undefined;
      readonly certificate?: string | undefined;
    }
  /** The kernel's .blacklist has the key. */
  | { readonly kind: 'revoked'; readonly looked: string }
  | { readonly kind: 'undecided' };

/** The signature of a module file. */
export type SignatureEvidence =
  | { readonly kind: 'unsigned' }
  /** Of a kind that kernels since 4.3 do not verify: as good as none. */
  | { readonly kind: 'unsupported'; readonly why: string }
  /** Refused by every kernel that looks at signatures (EBADMSG). */
  | { readonly kind: 'damaged'; readonly why: string }
  | {
      readonly kind: 'signed';
      readonly signer: string;
      readonly keyId: string;
      readonly hash: string;
      readonly trust: KeyTrust;
      /** What the kernel needs to check it and does not have: `the hash sha512`. */
      readonly lacks?: string | undefined;
      /** A certificate of the key is at hand, and the signature is not one of this file's contents. */
      readonly changed?: boolean | undefined;
    };

/** A symbol that the module needs and would not get. */
export interface MissingSymbol {
  readonly symbol: string;
  /** The module that exports it by modules.symbols; undefined when none does, and the kernel does not either. */
  readonly provider: ModuleName | undefined;
  /** The provider is among the modules that modules.dep says this one needs. */
  readonly inDep: boolean;
}

/** A symbol that is there, and that the kernel does not give to this module. latin1 */
export type WithheldSymbol =
  | (SymbolPlace & { readonly kind: 'namespace'; readonly namespace: string })
  /** `inheritedFrom`: a proprietary module whose symbols it uses; undefined when its own license is the reason. */
  | (SymbolPlace & {
      readonly kind: 'gpl-only';
      readonly license: string;
      readonly inheritedFrom: ModuleName | undefined;
    })
  /** The provider is proprietary, and this module uses GPL-only symbols. */
  | (SymbolPlace & { readonly kind: 'proprietary' })
  /** The module imports a namespace that cannot be imported. */
  | { readonly kind: 'module-import'; readonly namespace: string };

/** A symbol, and where it is offered. */
export interface SymbolPlace {
  readonly symbol: string;
  /** The module that exports it; undefined for the kernel itself. */
  readonly provider: ModuleName | undefined;
  /** The provider's file, or the list of the kernel's symbols. */
  readonly file: string;
}

/** A symbol whose version is another one than the module was built against. */
export interface VersionMismatch {
  readonly symbol: string;
  readonly wanted: number;
  readonly found: number;
  /** `the kernel`, or a module's name. */
  readonly provider: string;
}

/** A parameter that the module will not take. */
export interface BadParameter {
  readonly name: string;
  readonly value: string | undefined;
  /** `unknown`: the kernel ignores it with a warning. `value`: the kernel refuses the module. */
  readonly kind: 'unknown' | 'value';
  /** `int`, `bool`, … */
  readonly type: string | undefined;
  /** A parameter of the module that it may have been meant for. */
  readonly suggestion: string | undefined;
  /** Where it was given; undefined for the command line. */
  readonly place: Place | undefined;
}

/** A module's file. */
export type FileEvidence =
  | { readonly kind: 'missing'; readonly elsewhere: string | undefined }
  /** `why`: `damaged or truncated xz data`. */
  | {
      readonly kind: 'unusable';
      readonly why: string;
      readonly compressed: boolean;
      /** What reading it ended with: EACCES, ENOMEM for too large a window, EINVAL for damage. */
      readonly errno?: number | undefined;
    }
  | {
      readonly kind: 'module';
      /** Of the file, and of the kernel's own modules (undefined where there is none to compare with). */
      readonly vermagic: string | undefined;
      readonly expectedVermagic: string | undefined;
      readonly architecture: string;
      readonly expectedArchitecture: string | undefined;
      /** It carries versions of symbols (__versions). */
      readonly hasVersions: boolean;
      readonly signature: SignatureEvidence;
      readonly missingSymbols: readonly MissingSymbol[];
      /** Undefined for a file that was not looked at for them. */
      readonly withheldSymbols?: readonly WithheldSymbol[] | undefined;
      readonly mismatches: readonly VersionMismatch[];
      readonly badParameters: readonly BadParameter[];
      readonly firmware: readonly string[];
    };

/** What a module's file has to show to those who judge files; undefined where nobody looked, as on another machine. */
export interface FileStanding {
  readonly imaMark: ImaMark;
  readonly place: FilePlace | undefined;
}

/** One module that is to be inserted, or was refused. */
export interface ModuleEvidence {
  readonly module: ModuleName;
  readonly path: string;
  readonly file: FileEvidence;
  readonly standing?: FileStanding | undefined;
  /** The rule of the kernel's own module_blacklist=, if one names it. */
  readonly kernelBlacklist: Place | undefined;
}

/** What the kernel, or a call before it, answered. */
export interface Refusal {
  /** Positive. */
  readonly errno: number;
  readonly during: 'open' | 'decompress' | 'insert';
  /** Words of the step that failed: `damaged or truncated xz data`. */
  readonly why?: string | undefined;
  /** What the kernel logged about it since the call; empty when it said nothing, or its log cannot be read. latin1 */
  readonly log: readonly string[];
}
