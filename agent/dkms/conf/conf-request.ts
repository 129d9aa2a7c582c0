/** What to read, and for which kernel. Pure. */
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
  /** The user named the file (`-c`, or the folder that it lies in); only then does the summary of a bad one name it. */
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
