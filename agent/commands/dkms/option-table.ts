/** The options of dkms, with the names that dkms understands. Pure. */

/** Options that take a value, in the order in which dkms tries them: `--archive-location` is --archive, and tried before --arch. */
const VALUED = [
  { long: '--module', short: '-m', key: 'module' },
  { long: undefined, short: '-v', key: 'version' },
  { long: '--kernelver', short: '-k', key: 'kernel' },
  { long: '--templatekernel', short: undefined, key: 'templateKernel' },
  { long: undefined, short: '-c', key: 'confFile' },
  { long: '--archive', short: undefined, key: 'archive' },
  { long: '--arch', short: '-a', key: 'arch' },
  { long: '--kernelsourcedir', short: undefined, key: 'kernelSource' },
  { long: '--directive', short: undefined, key: 'directive' },
  { long: '--dkmstree', short: undefined, key: 'dkmsTree' },
  { long: '--sourcetree', short: undefined, key: 'sourceTree' },
  { long: '--installtree', short: undefined, key: 'installTree' },
  { long: '--config', short: undefined, key: 'kernelConfig' },
  { long: undefined, short: '-j', key: 'jobs' },
  { long: '--root', short: undefined, key: 'root' },
] as const;

/** What a value is of. */
export type Key = (typeof VALUED)[number]['key'];

/** Switches, by the word. */
export const SWITCHES = {
  '--all': 'all',
  '--force': 'force',
  '--force-version-override': 'forceVersion',
  '--binaries-only': 'binariesOnly',
  '--source-only': 'sourceOnly',
  '--rpm_safe_upgrade': 'rpmSafeUpgrade',
  '--no-depmod': 'noDepmod',
  '--symlink-modules': 'symlinkModules',
  '--modprobe-on-install': 'modprobeOnInstall',
  '--verbose': 'verbose',
  '--debug': 'verbose',
  '--quiet': 'quiet',
  '-q': 'quiet',
  '--json': 'json',
  '--sandbox': 'sandbox',
  '--no-sandbox': 'noSandbox',
  '--repair': 'repair',
  '--dry-run': 'dryRun',
  '-n': 'dryRun',
} as const;

/** A switch that is on. */
export type Switch = (typeof SWITCHES)[keyof typeof SWITCHES];

/** Options of long ago: dkms takes them and says so. */
export const DEPRECATED = ['--no-initrd', '--no-clean-kernel', '--no-prepare-kernel'];

/** Which value the word `--module`, `--module=x` or `-m` announces; undefined when it is no such option. */
export function valuedOption(word: string): Key | undefined {
  const name = word.startsWith('--') ? word.split('=')[0] : word;
  return VALUED.find(({ long, short }) => name === short || (long !== undefined && name?.startsWith(long) === true))
    ?.key;
}
