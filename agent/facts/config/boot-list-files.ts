/** Reads the files that name modules to load at boot. Reads text; rules/boot/ parses it. */
import type { Host } from '../../base/host.ts';
import { existsInRoot, namesInRoot, statInRoot } from '../../base/root.ts';
import { readRegularFile, readTextIn } from '../regular-file.ts';
import { readKernelCommandLine, readModulesLoad, type ConfigText, type UnreadText } from './config-text.ts';
import { readYaml, type ReadYaml } from './yaml-text.ts';

/** The files that name modules to load at boot. */
export interface BootListFiles {
  /** Files of modules-load.d, in the order in which they count. */
  readonly lists: readonly ConfigText[];
  /** Files of modules-load.d that do not count, because `by` has the same name in a directory that comes first. */
  readonly hidden: ReadonlyArray<ConfigText & { readonly by: string }>;
  /** Undefined when it is missing, or when a file of modules-load.d is a link to it, as in Debian: each file is read once. */
  readonly etcModules: ConfigText | undefined;
  readonly commandLine: ConfigText;
  /** OpenRC's /etc/conf.d/modules; undefined when it is missing. */
  readonly openrc: ConfigText | undefined;
  /** The release of the kernel that the lists are for. */
  readonly kernel: string;
  /** Lists of initramfs-tools. */
  readonly initramfsTools: readonly ConfigText[];
  /** Configuration in YAML, of each system in the order in which it reads it. */
  readonly cloud: Readonly<Record<'rancher' | 'k3os' | 'talos', readonly ConfigText[]>>;
  readonly readYaml: ReadYaml;
  /** This system is an initramfs: it has /etc/initrd-release. */
  readonly inInitramfs: boolean;
  /** Files that should count and could not be read. */
  readonly unread: readonly UnreadText[];
}

/** The files and folders of systems that are described by YAML, in the order in which each reads them. */
const CLOUD: Readonly<Record<keyof BootListFiles['cloud'], readonly string[]>> = {
  rancher: [
    '/usr/share/ros/os-config.yml',
    '/usr/share/ros/oem/oem-config.yml',
    '/var/lib/rancher/conf/cloud-config.d/',
    '/var/lib/rancher/conf/cloud-config.yml',
  ],
  k3os: ['/k3os/system/config.yaml', '/var/lib/rancher/k3os/config.yaml', '/var/lib/rancher/k3os/config.d/'],
  talos: ['/system/state/config.yaml'],
};

const INITRAMFS_TOOLS = ['/usr/share/initramfs-tools/modules.d/', '/etc/initramfs-tools/modules'];
/** The longest file that is read; its reader has bounds of its own. */
const MOST_BYTES = 16 << 20;

/**
 * Reads them all: modules-load.d/*.conf, /etc/modules, the kernel command line, and the files of OpenRC, initramfs-tools, RancherOS, k3OS
 * and Talos. Empty where there is nothing.
 */
export function readBootListFiles(host: Host): BootListFiles {
  const { texts, hidden, unread } = readModulesLoad(host);
  const file = `${host.root}/etc/modules`;
  const identity = (path: string) => {
    const stat = statInRoot(host.root, path);
    return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
  };
  const own = identity(file);
  const linked = own !== undefined && texts.some((text) => identity(text.file) === own);
  const faults = [...unread];
  const read = (path: string): readonly ConfigText[] => {
    const found = readRegularFile(host.root, path, MOST_BYTES);
    if (found.kind === 'fault') faults.push({ file: path, why: found.why });
    return found.kind === 'bytes' ? [{ file: path, text: found.bytes.toString('latin1') }] : [];
  };
  const all = (paths: readonly string[]): readonly ConfigText[] =>
    paths.flatMap((path) => membersOf(host, `${host.root}${path}`).flatMap(read));
  return {
    lists: texts,
    hidden: hidden.map((each) => ({ ...each, text: readTextIn(host.root, each.file) ?? '' })),
    etcModules: linked ? undefined : read(file)[0],
    commandLine: readKernelCommandLine(host),
    openrc: read(`${host.root}/etc/conf.d/modules`)[0],
    kernel: host.kernel,
    initramfsTools: all(INITRAMFS_TOOLS),
    cloud: { rancher: all(CLOUD.rancher), k3os: all(CLOUD.k3os), talos: all(CLOUD.talos) },
    readYaml,
    inInitramfs: existsInRoot(host.root, `${host.root}/etc/initrd-release`),
    unread: faults,
  };
}

/** A file itself; of a folder (`…/`) its files by name, but for hidden ones and folders. */
function membersOf({ root }: Host, path: string): readonly string[] {
  if (!path.endsWith('/')) return [path];
  const folder = path.slice(0, -1);
  return namesInRoot(root, folder)
    .filter((name) => !name.startsWith('.') && statInRoot(root, `${folder}/${name}`)?.isDirectory() !== true)
    .map((name) => `${folder}/${name}`)
    .toSorted();
}
