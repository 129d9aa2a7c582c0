/** What the command line of dkms says, as plain data. commands/dkms/ reads it. */

/** The actions, as dkms names them. */
export const ACTIONS = [
  'add',
  'build',
  'unbuild',
  'install',
  'uninstall',
  'remove',
  'match',
  'mktarball',
  'ldtarball',
  'status',
  'autoinstall',
  'generate_mok',
  'kernel_preinst',
  'kernel_postinst',
  'kernel_prerm',
  // plugd's own.
  'check',
  'prune',
  'resign',
  'log',
] as const;

/** One of them. */
export type Action = (typeof ACTIONS)[number];

/** The options and words of one call. Texts are '' when they were not given. */
export interface DkmsOptions {
  readonly action: Action;
  readonly module: string;
  readonly version: string;
  /** A folder with a dkms.conf, or the dkms.conf itself. */
  readonly source: string;
  readonly archive: string;
  readonly kernels: readonly string[];
  readonly arches: readonly string[];
  /** All kernels that the module is built for. */
  readonly all: boolean;
  readonly confFile: string;
  readonly kernelConfig: string;
  readonly kernelSource: string;
  readonly templateKernel: string;
  readonly directives: readonly string[];
  readonly force: boolean;
  readonly forceVersion: boolean;
  readonly binariesOnly: boolean;
  readonly sourceOnly: boolean;
  readonly rpmSafeUpgrade: boolean;
  readonly noDepmod: boolean;
  /** `check` puts right what it finds. */
  readonly repair: boolean;
  /** Only say what would be done. */
  readonly dryRun: boolean;
}
