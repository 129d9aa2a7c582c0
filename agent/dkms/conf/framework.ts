/**
 * framework.conf and framework.conf.d: what the administrator set for all modules. It is read in three portions, as dkms does, because
 * values of the later ones may name the kernel. Texts are ordinary; '' is one that nobody set.
 */
import { availableParallelism } from 'node:os';
import { existsInRoot, namesInRoot } from '../../base/root.ts';
import type { ConfMessage } from '../../records/dkms/conf-message.ts';
import { readConfFile, type ConfFile } from './conf-files.ts';
import type { ConfKernel } from './conf-request.ts';
import { evaluateShell } from './shell/shell-evaluation.ts';
import { valueOf } from './shell/shell-values.ts';

/** The settings that do not depend on a kernel. Options of the command line win over them. */
export interface Framework {
  /** `/usr/src` */
  readonly sourceTree: string;
  /** `/var/lib/dkms` */
  readonly dkmsTree: string;
  /** `/lib/modules` */
  readonly installTree: string;
  /** For archives and locks of rpm, not for builds: $TMPDIR, else `/tmp`. */
  readonly tmpLocation: string;
  readonly verbose: boolean;
  /** Links from the kernel's tree to the DKMS tree, not copies. */
  readonly symlinkModules: boolean;
  /** A package's installation builds for every kernel with headers. */
  readonly autoinstallAllKernels: boolean;
  readonly modprobeOnInstall: boolean;
  /** `make -j`; 0 is without a limit. */
  readonly parallelJobs: number;
  /** Options of the programs gzip, xz and zstd. */
  readonly compressGzipOpts: string;
  readonly compressXzOpts: string;
  readonly compressZstdOpts: string;
  /** A file to source before each build command. */
  readonly buildEnvironment: string;
  /** Whether builds are walled in; undefined leaves it to the name that plugd was called by. plugd's own setting. */
  readonly buildSandbox: boolean | undefined;
  /** A package's installation goes on with the next kernel after a failure. */
  readonly continueOnError: boolean;
  /** ADDON_MODULES_DIR: where all modules go, whatever their dkms.conf says. */
  readonly addonModulesDir: string;
}

/** What says who signs, and with what. '' leaves it to the distribution's customs. */
export interface SigningFramework {
  readonly signFile: string;
  /** A file, or `pkcs11:…` */
  readonly mokSigningKey: string;
  readonly mokCertificate: string;
  readonly trySignModules: 'true' | 'false' | 'not_in_chroot';
}

/** Where settings come from. */
export interface FrameworkSource {
  /** The folder of framework.conf: `/etc/dkms`. */
  readonly etc: string;
  /** process.env: an exported variable that has a setting's name is the setting, where the files do not say otherwise. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `/etc/sysconfig/module-init-tools`, which may set ADDON_MODULES_DIR. */
  readonly sysconfig?: string;
}

/** Settings, and what there is to tell of their files. A file that cannot be read or evaluated leaves the defaults. */
export interface FrameworkReading<Settings> {
  readonly settings: Settings;
  readonly messages: readonly ConfMessage[];
}

const GENERAL = [
  'source_tree',
  'dkms_tree',
  'install_tree',
  'tmp_location',
  'verbose',
  'symlink_modules',
  'autoinstall_all_kernels',
  'modprobe_on_install',
  'parallel_jobs',
  'compress_gzip_opts',
  'compress_xz_opts',
  'compress_zstd_opts',
  'build_environment',
  'build_sandbox',
  'continue_on_error',
];

const SIGNING = ['sign_file', 'mok_signing_key', 'mok_certificate', 'try_sign_modules'];

const ADDON = 'ADDON_MODULES_DIR';

/** The first portion, at the start of every command. */
export function readFramework(source: FrameworkSource): FrameworkReading<Framework> {
  const { environment } = source;
  const { of, messages } = readPortion(frameworkFiles(source.etc), GENERAL, source, {});
  const addon = readPortion([source.sysconfig ?? '/etc/sysconfig/module-init-tools'], [ADDON], source, {});
  const jobs = of('parallel_jobs');
  const settings: Framework = {
    sourceTree: of('source_tree') || '/usr/src',
    dkmsTree: of('dkms_tree') || '/var/lib/dkms',
    installTree: of('install_tree') || '/lib/modules',
    tmpLocation: of('tmp_location') || environment['TMPDIR'] || '/tmp',
    verbose: of('verbose') !== '',
    symlinkModules: of('symlink_modules') !== '',
    autoinstallAllKernels: of('autoinstall_all_kernels') !== '',
    modprobeOnInstall: of('modprobe_on_install') !== '',
    parallelJobs: /^\d{1,6}$/.test(jobs) ? Number(jobs) : availableParallelism(),
    compressGzipOpts: of('compress_gzip_opts'),
    compressXzOpts: of('compress_xz_opts') || '--check=crc32 --lzma2=dict=1MiB',
    compressZstdOpts: of('compress_zstd_opts') || '-q --rm -T0',
    buildEnvironment: of('build_environment'),
    buildSandbox: { yes: true, no: false }[of('build_sandbox').toLowerCase()],
    continueOnError: (of('continue_on_error') || 'true') === 'true',
    addonModulesDir: addon.of(ADDON),
  };
  return { settings, messages: [...messages, ...addon.messages] };
}

/** The second portion, before signing; values may name `$kernelver`. */
export function readSigning(source: FrameworkSource, kernel: ConfKernel): FrameworkReading<SigningFramework> {
  const { of, messages } = readPortion(frameworkFiles(source.etc), SIGNING, source, kernelVariables(kernel));
  const wish = of('try_sign_modules');
  const settings: SigningFramework = {
    signFile: of('sign_file'),
    mokSigningKey: of('mok_signing_key'),
    mokCertificate: of('mok_certificate'),
    trySignModules: wish === 'true' || wish === 'false' ? wish : 'not_in_chroot',
  };
  return { settings, messages };
}

/** The last portion, after success: the command for bash to evaluate; '' for none. It may name `$kernelver`, of which there may be none. */
export function readPostTransaction(source: FrameworkSource, kernel: ConfKernel | undefined): FrameworkReading<string> {
  const variables = kernel === undefined ? {} : kernelVariables(kernel);
  const { of, messages } = readPortion(frameworkFiles(source.etc), ['post_transaction'], source, variables);
  return { settings: of('post_transaction'), messages };
}

/** The settings as variables that a dkms.conf may look at: ConfRequest's `variables`. */
export function frameworkVariables(framework: Framework): Readonly<Record<string, string>> {
  return {
    tmp_location: framework.tmpLocation,
    verbose: flag(framework.verbose),
    symlink_modules: flag(framework.symlinkModules),
    modprobe_on_install: flag(framework.modprobeOnInstall),
    parallel_jobs: framework.parallelJobs === 0 ? '' : String(framework.parallelJobs),
  };
}

/** Whether `no-autoinstall` in the folder of framework.conf forbids installation by itself, as tests of packages do. */
export function autoinstallIsOff(etc: string): boolean {
  return existsInRoot('', `${etc}/no-autoinstall`);
}

function flag(on: boolean): string {
  return on ? 'yes' : '';
}

function kernelVariables({ release, arch, sourceDir }: ConfKernel): Readonly<Record<string, string>> {
  return { kernelver: release, arch, kernel_source_dir: sourceDir };
}

/** framework.conf, then framework.conf.d/*.conf in the order of their names. */
function frameworkFiles(etc: string): readonly string[] {
  const folder = `${etc}/framework.conf.d`;
  const names = namesInRoot('', folder).filter((name) => name.endsWith('.conf') && !name.startsWith('.'));
  return [`${etc}/framework.conf`, ...names.toSorted().map((name) => `${folder}/${name}`)];
}

/** The values of names after all files that are there; what a file cannot give, the environment or nothing gives. */
function readPortion(
  paths: readonly string[],
  known: readonly string[],
  { environment }: FrameworkSource,
  kernel: Readonly<Record<string, string>>,
): { readonly of: (name: string) => string; readonly messages: readonly ConfMessage[] } {
  const exported = Object.fromEntries(
    known.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
  const files: ConfFile[] = [];
  const messages: ConfMessage[] = [];
  for (const path of paths) {
    const read = readConfFile(path);
    if (read.kind === 'file') files.push(read.file);
    else if (read.kind === 'bad') messages.push({ kind: 'conf-settings-lost', error: read.error });
  }
  const given = (name: string) => exported[name] ?? '';
  const [first, ...others] = files;
  if (first === undefined) return { of: given, messages };
  const question = { variables: { ...kernel, ...exported }, known, patterns: [], last: [] };
  const answer = evaluateShell([first, ...others], question);
  if (answer.complaint !== '') messages.push({ kind: 'conf-complaint', text: answer.complaint });
  if (answer.kind === 'values') return { of: (name) => valueOf(answer.values, name), messages };
  messages.push({ kind: 'conf-settings-lost', error: answer.error });
  return { of: given, messages };
}
