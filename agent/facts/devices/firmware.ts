/**
 * Finds firmware files that drivers ask the kernel for; reads no contents. The kernel looks for NAME in these folders, in this
 * order, plain and then compressed (NAME.zst, NAME.xz, where CONFIG_FW_LOADER_COMPRESS):
 *
 *     the folder of /sys/module/firmware_class/parameters/path, /lib/firmware/updates/RELEASE, /lib/firmware/updates,
 *     /lib/firmware/RELEASE, /lib/firmware
 *
 * Source: drivers/base/firmware_loader/main.c.
 */
import type { Host } from '../../base/host.ts';
import { existsInRoot, namesInRoot } from '../../base/root.ts';
import { readAttribute } from '../attribute.ts';

/** Where the kernel looks for firmware, in order; absolute paths under the host's root. */
export function firmwareFolders(host: Host): readonly string[] {
  const own = readAttribute(`${host.sysfs}/module/firmware_class/parameters/path`) ?? '';
  const usual = ['updates/', ''].flatMap((part) => [`${part}${host.kernel}`, part.slice(0, -1)]);
  const paths = [own, ...usual.map((part) => `/lib/firmware/${part}`.replace(/\/$/, ''))];
  return paths.filter((path) => path !== '').map((path) => host.root + path);
}

const SUFFIXES = ['', '.zst', '.xz'];

/** A search that remembers the folders it has read: `find('iwlwifi-7260-17.ucode')` → its path, or undefined. */
export interface FirmwareSearch {
  readonly folders: readonly string[];
  find(name: string): string | undefined;
  /** Every file that a pattern stands for; of a name the one that the kernel takes. Empty when there is none. */
  all(name: string): readonly string[];
}

/**
 * A search of the host's folders. Names may be patterns with `*` (`qed/qed_init_values_zipped-*.bin`), as modinfo prints them. As the
 * kernel does, it looks for the plain file in all folders before it looks for a compressed one.
 */
export function openFirmware(host: Host): FirmwareSearch {
  const folders = firmwareFolders(host).filter((folder) => existsInRoot(host.root, folder));
  const listings = new Map<string, readonly string[]>();
  const list = (folder: string) => {
    let names = listings.get(folder);
    if (names === undefined) listings.set(folder, (names = namesInRoot(host.root, folder)));
    return names;
  };
  const one = (name: string): readonly string[] => {
    for (const suffix of SUFFIXES) {
      for (const folder of folders) {
        const path = `${folder}/${name}${suffix}`;
        const slash = path.lastIndexOf('/');
        if (list(path.slice(0, slash)).includes(path.slice(slash + 1)) && existsInRoot(host.root, path)) return [path];
      }
    }
    return [];
  };
  const matching = (name: string): readonly string[] => {
    const slash = name.lastIndexOf('/');
    const pattern = new RegExp(
      `^${name
        .slice(slash + 1)
        .replaceAll(/[.+^$()|[\]{}\\]/g, String.raw`\$&`)
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}(\\.zst|\\.xz)?$`,
    );
    const found = new Map<string, string>();
    for (const folder of folders) {
      const directory = slash < 0 ? folder : `${folder}/${name.slice(0, slash)}`;
      for (const entry of list(directory)) {
        const bare = entry.replace(/\.(zst|xz)$/, '');
        if (pattern.test(entry) && !found.has(bare)) found.set(bare, `${directory}/${entry}`);
      }
    }
    return [...found.values()];
  };
  const all = (name: string) => (/[*?]/.test(name.slice(name.lastIndexOf('/') + 1)) ? matching(name) : one(name));
  return { folders, all, find: (name) => all(name)[0] };
}
