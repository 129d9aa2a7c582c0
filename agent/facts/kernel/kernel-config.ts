/** The configuration a kernel was built with. Reads only. */
import { release } from 'node:os';
import type { Host } from '../../base/host.ts';
import { decompress } from '../modfiles/decompress.ts';
import { readRegularFile, readTextIn } from '../regular-file.ts';

/** Far more than any kernel's configuration has. */
const MOST_BYTES = 16 << 20;

/** How a kernel was configured, and the file that says so. */
export interface KernelConfig {
  readonly file: string;
  /** `CONFIG_MODULE_SIG` → `y`; `m`, or text without its quotes; undefined for an option that is not set. */
  value(name: string): string | undefined;
}

/**
 * The configuration of the host's kernel: of the running kernel from /proc/config.gz, else from where distributions install it
 * (Debian, Ubuntu: /boot; Fedora, openSUSE: beside the modules; ostree: /usr/lib/ostree-boot). Undefined when there is none.
 */
export function readKernelConfig(host: Host): KernelConfig | undefined {
  const running = host.root === '' && host.kernel === release();
  const places = [
    ...(running ? [`${host.proc}/config.gz`] : []),
    `${host.root}/boot/config-${host.kernel}`,
    `${host.moduleDir}/config`,
    `${host.root}/usr/lib/modules/${host.kernel}/config`,
    `${host.root}/usr/lib/ostree-boot/config-${host.kernel}`,
    `${host.moduleDir}/build/.config`,
  ];
  for (const file of places) {
    const text = file.endsWith('.gz') ? unzip(file) : readTextIn(host.root, file);
    if (text !== undefined) return { file, value: remembered((name) => configValue(text, name)) };
  }
  return undefined;
}

/** Many devices ask for the same option. */
function remembered(value: KernelConfig['value']): KernelConfig['value'] {
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (!known.has(name)) known.set(name, value(name));
    return known.get(name);
  };
}

/**
 * What a configuration's text (.config, include/config/auto.conf) says of an option: CONFIG_A=y, CONFIG_B="text" without its quotes;
 * undefined for `# CONFIG_C is not set` and for one that it does not name.
 */
export function configValue(text: string, name: string): string | undefined {
  const key = `\n${name}=`;
  const at = text.startsWith(key.slice(1)) ? 0 : text.indexOf(key) + 1;
  if (at === 0 && !text.startsWith(key.slice(1))) return undefined;
  const end = text.indexOf('\n', at);
  const value = text.slice(at + name.length + 1, end < 0 ? undefined : end);
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function unzip(file: string): string | undefined {
  const read = readRegularFile('', file);
  if (read.kind !== 'bytes') return undefined;
  const unpacked = decompress('gzip', read.bytes, MOST_BYTES);
  return unpacked.kind === 'image' ? unpacked.image.toString('latin1') : undefined;
}
