/** What the build of one module for one kernel is asked for, and how it ends. */
import type { MokPlaces } from '../../trust/mok-files.ts';
import type { Clock } from '../../base/clock.ts';
import type { OsRelease } from '../../facts/config/os-release.ts';
import type { BuildMessage } from '../../records/dkms/build-message.ts';
import type { DkmsConf } from '../conf/dkms-conf.ts';
import type { Framework } from '../conf/framework.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import type { ModuleSuffix } from '../../facts/modfiles/compression.ts';
import type { CachePlaces } from './cache/cache-places.ts';
import type { Jobserver } from './process/jobserver.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

/** The kernel to build for. */
export interface BuildKernel {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** `x86_64`: the last folder of the result's path. */
  readonly arch: string;
  /** The headers: `/lib/modules/6.1.0-56-amd64/build`. */
  readonly sourceDir: string;
  /** The file with its configuration; undefined when there is none. */
  readonly config: string | undefined;
  /** How the kernel's own modules are compressed, and so these. */
  readonly suffix: ModuleSuffix;
}

/** What the administrator's framework.conf says about builds. */
export type BuildSettings = Pick<
  Framework,
  'compressGzipOpts' | 'compressXzOpts' | 'compressZstdOpts' | 'buildEnvironment'
>;

/** One module for one kernel. The module is registered: `dkmsTree/MODULE/VERSION/source` leads to its source. */
export interface BuildRequest {
  readonly module: string;
  readonly version: string;
  readonly conf: DkmsConf;
  readonly kernel: BuildKernel;
  readonly trees: DkmsTrees;
  readonly framework: BuildSettings;
  /** The system's distribution; undefined when nobody knows it. */
  readonly os: OsRelease | undefined;
  /** The folder of the administrator's overrides: `/etc/dkms`. */
  readonly etc: string;
  /** Build despite missing dependencies. */
  readonly force: boolean;
  /** Show commands instead of descriptions. */
  readonly verbose: boolean;
  /** How many jobs make may run; 0: as many as it likes. */
  readonly jobs: number;
  /** Hands out jobs to several builds at a time, in place of `jobs`. */
  readonly jobserver?: Jobserver | undefined;
  /** Finds out which walls stand around the commands; undefined: none is wanted, and they run as plugd itself. */
  readonly sandbox?: (() => Promise<Sandbox>) | undefined;
  /** Where results are kept to spare the same build a second time; undefined: nowhere. */
  readonly cache?: CachePlaces | undefined;
  /** Finds who signs, which tells the lines about it, when it is certain that something will be built; undefined: nobody. */
  readonly signer: () => Promise<Signer | undefined>;
  /** Variables that reach every command of the build: what --directive sets does. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** The names in BUILD_DEPENDS that are not installed for this kernel. */
  readonly missingDepends: readonly string[];
  readonly tell: Tell;
  /** Ends the build, and every process of it; the outcome is then `stopped` with 130. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * How a build ended. `status` is the exit status that dkms has for it: 5 to 8, 10, 13, 21, that of a script, or 130 after an abort;
 * why was told.
 */
export type BuildOutcome =
  | { readonly kind: 'built'; readonly seconds: number }
  | { readonly kind: 'stopped'; readonly status: number };

/** Gets what a build tells, at once and in order. */
export type Tell = (message: BuildMessage) => void;

/** Signs module files in their place. */
export interface Signer {
  /** Whose key it signs with. */
  readonly places: MokPlaces;
  /** Signs one file; a failure leaves the file as it was. `output` is what a program said, or why it could not be done. */
  sign(file: string): Promise<SignResult>;
}

/** How the signing of one file ended. */
export type SignResult = { readonly kind: 'signed' } | { readonly kind: 'failed'; readonly output: string };
