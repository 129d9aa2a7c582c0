/** The firmware of a boot image, and what drivers may ask for and not find there. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { openFirmware, type FirmwareSearch } from '../facts/devices/firmware.ts';
import type { ImageContents } from '../facts/initramfs/image-contents.ts';
import { firmwareNames } from '../explain/replay/recorded-firmware.ts';
import type { Sources } from '../load/sources.ts';
import type { DeviceClass, FirmwareGap } from '../records/image-check.ts';

/** Collects gaps: note() for each device, then gaps(). */
export class ImageFirmware {
  readonly #host: Host;
  readonly #sources: Sources;
  readonly #search: FirmwareSearch;
  readonly #names = new Set<string>();
  readonly #declared = new Map<ModuleName, readonly string[]>();
  readonly #gaps = new Map<string, FirmwareGap & { readonly classes: DeviceClass[] }>();

  constructor(host: Host, sources: Sources, { firmware }: ImageContents) {
    this.#host = host;
    this.#sources = sources;
    this.#search = openFirmware(host);
    for (const path of firmware) this.#names.add(this.#nameOf(path));
  }

  /** `/usr/lib/firmware/updates/a.bin.xz` → `a.bin`, the name that a driver asks for. */
  #nameOf(path: string): string {
    const inside = path.replace(/^.*?\/lib\/firmware\//, '').replace(/\.(zst|xz)$/, '');
    const folders = [`updates/${this.#host.kernel}/`, 'updates/', `${this.#host.kernel}/`];
    const folder = folders.find((each) => inside.startsWith(each)) ?? '';
    return inside.slice(folder.length);
  }

  /** Whether the image has the file that a driver asks for by `name`. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** A device that has its driver: `recorded` are the files that its machine had, undefined when its recording does not tell. */
  note(module: ModuleName, recorded: readonly string[] | undefined, classes: readonly DeviceClass[]): void {
    for (const name of recorded ?? this.#inTree(module)) {
      if (this.has(name)) continue;
      const key = `${module} ${name}`;
      const known = this.#gaps.get(key);
      if (known === undefined)
        this.#gaps.set(key, { module, name, classes: [...classes], recorded: recorded !== undefined });
      else known.classes.push(...classes.filter((one) => !known.classes.includes(one)));
    }
  }

  /** The files that the module declares and the tree has; a pattern stands for its files. */
  #inTree(module: ModuleName): readonly string[] {
    let names = this.#declared.get(module);
    if (names === undefined) {
      const declared = firmwareNames(this.#host, this.#sources, module) ?? [];
      const paths = declared.flatMap((name) => this.#search.all(name));
      this.#declared.set(module, (names = [...new Set(paths.map((path) => this.#nameOf(path)))]));
    }
    return names;
  }

  gaps(): readonly FirmwareGap[] {
    return [...this.#gaps.values()];
  }
}
