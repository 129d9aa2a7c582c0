/** dkms.conf, evaluated for one kernel. Strings are ordinary text. */
import type { ConfError, ConfMessage, DeprecatedDirective } from '../../records/dkms/conf-message.ts';
import type { ConfModule } from './conf-modules.ts';
import type { Exclusion } from './exclusion.ts';
import type { DkmsTrees } from './trees.ts';

/** The kernel that a dkms.conf is evaluated for. */
export interface ConfKernel {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** `x86_64` */
  readonly arch: string;
  /** `$kernel_source_dir`: `/lib/modules/6.1.0-56-amd64/build`, or what --kernelsourcedir names. */
  readonly sourceDir: string;
  /** `--config`; when undefined, the headers' own: include/config/auto.conf, else .config. */
  readonly config: string | undefined;
}

/** What to read, and for what. */
export interface ConfRequest {
  /** The path of the file. */
  readonly file: string;
  /** The user named the file (`-c`); only then do messages about a bad one name it. */
  readonly named?: boolean;
  /** Name and version as the user gave them; '' while `add PATH` does not know them. */
  readonly module: string;
  readonly version: string;
  readonly kernel: ConfKernel;
  readonly trees: DkmsTrees;
  /** The folder of the administrator's overrides: `/etc/dkms`. */
  readonly etc: string;
  /** `--directive` as given: `NAME=VALUE`. */
  readonly directives: readonly string[];
  /** Further shell variables that the file may look at: `tmp_location`, `parallel_jobs`, `verbose`, … */
  readonly variables: Readonly<Record<string, string>>;
  /** add, build and install are strict; others accept duplicates and no modules at all, and stay silent about what is deprecated. */
  readonly strict: boolean;
}

/** One evaluated dkms.conf. */
export interface DkmsConf {
  readonly file: string;
  readonly packageName: string;
  readonly packageVersion: string;
  /** One for each record, in order; those that are not for this kernel have an `exclusion`. */
  readonly modules: readonly ConfModule[];
  /** Why nothing of the package is for this kernel (status 77); undefined when something is. */
  readonly exclusion: Exclusion | undefined;
  /** The command to run, as written or the default, for bash to evaluate. */
  readonly make: string;
  /** The patches for this kernel, in order; files of `patches/`. */
  readonly patches: readonly string[];
  /** Programs with their arguments; undefined when not set. */
  readonly preBuild: string | undefined;
  readonly postBuild: string | undefined;
  readonly postAdd: string | undefined;
  readonly preInstall: string | undefined;
  readonly postInstall: string | undefined;
  readonly postRemove: string | undefined;
  /** Names of packages that must be installed for the kernel before. */
  readonly buildDepends: readonly string[];
  readonly buildDependsRebuild: boolean;
  readonly autoinstall: boolean;
  readonly noWeakModules: boolean;
  /** `6.2` or `6.2-10`: not to be installed for that kernel and later ones. */
  readonly obsoleteBy: string | undefined;
  /** Some BUILD_EXCLUSIVE directive is set, whether it fits or not. */
  readonly hasExclusives: boolean;
  readonly deprecated: readonly DeprecatedDirective[];
}

/**
 * What reading came to. `messages` is everything to tell, in order: what the file wrote to stderr, each error, and the summary.
 * `conf` of a bad file has what could be understood; commands with status 8 end there, status 4 is `missing`.
 */
export type ConfReading =
  | { readonly kind: 'read'; readonly conf: DkmsConf; readonly messages: readonly ConfMessage[] }
  | { readonly kind: 'missing'; readonly file: string; readonly messages: readonly ConfMessage[] }
  | {
      readonly kind: 'bad';
      readonly errors: readonly ConfError[];
      readonly conf: DkmsConf;
      readonly messages: readonly ConfMessage[];
    };
