/**
 * What machines would lose with a boot image: each of their devices with a driver in the tree is asked for in the image, by the image's own
 * indexes and rules. Reads only.
 */
import type { ModuleName } from '../base/names.ts';
import { listed } from '../base/words.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import type { StorageWant } from '../facts/devices/storage-path.ts';
import type { ImageContents } from '../facts/initramfs/image-contents.ts';
import type { ImageWalk } from '../facts/initramfs/image-entries.ts';
import type { Home } from '../explain/replay/driver-home.ts';
import type { ClosureGap } from '../records/closure.ts';
import type { DeviceClass, ImageCheck, ImageLoss, UnneededModule } from '../records/image-check.ts';
import { classesBelow, requestClass } from './device-class.ts';
import type { DriverPlaces } from './driver-places.ts';
import { ImageFirmware } from './image-firmware.ts';
import { ImageModules } from './image-modules.ts';
import { staleFiles } from './image-age.ts';
import { isMissed, NOTHING_HAS_IT, storageName, type Machine } from './machine-wants.ts';

/** What is held against what. */
export interface ImageQuestion {
  /** The tree that the image is held against. */
  readonly places: DriverPlaces;
  /** What it is called. */
  readonly image: string;
  readonly walked: ImageWalk;
  readonly contents: ImageContents;
  readonly machines: readonly Machine[];
  readonly needed: readonly DeviceClass[];
  /** Recordings that cannot be used. */
  readonly missing: readonly ClosureGap[];
}

/** The check. */
export async function checkImage(question: ImageQuestion): Promise<ImageCheck> {
  return new Checker(question).check();
}

class Checker {
  readonly #question: ImageQuestion;
  readonly #places: DriverPlaces;
  readonly #image: ImageModules;
  readonly #firmware: ImageFirmware;
  readonly #lost: ImageLoss[] = [];
  #kept = 0;
  #untold = 0;

  constructor(question: ImageQuestion) {
    const { places, contents } = question;
    this.#question = question;
    this.#places = places;
    this.#image = new ImageModules(places.host, contents);
    this.#firmware = new ImageFirmware(places.host, places.sources, contents);
  }

  async check(): Promise<ImageCheck> {
    const { image, machines, needed, missing, walked, contents } = this.#question;
    const { host, sources } = this.#places;
    // It asks nothing of the kernel, which may still be unpacked.
    const stale = staleFiles(host, sources, contents);
    await this.#places.ready();
    for (const machine of machines) this.#machine(machine);
    const damage = walked.kind === 'damaged' ? [`${walked.why}; what comes behind it does not count`] : [];
    return {
      image,
      kernel: host.kernel,
      moduleDir: host.moduleDir,
      machines: machines.map(({ name }) => name),
      modules: this.#image.count,
      needed,
      kept: this.#kept,
      untold: this.#untold,
      lost: this.#lost,
      stale,
      unneeded: machines.length === 0 ? [] : this.#unneeded(),
      firmware: this.#firmware.gaps(),
      problems: [...damage, ...this.#image.problems],
      missing,
    };
  }

  #machine({ name, devices, ranOn, asked = [], root }: Machine): void {
    for (const request of asked) this.#request(name, request);
    for (const want of root?.wants ?? []) this.#stored(name, want);
    const placed = devices.flatMap((device) => this.#places.place(device, ranOn) ?? []);
    const classes = classesBelow([
      ...placed.map((each) => ({ devpath: each.device.devpath, class: each.class })),
      // Whatever kind its controllers are of.
      ...(root?.disks ?? []).map((devpath) => ({ devpath, class: 'disk' as const })),
    ]);
    for (const { device, home, module, names } of placed) {
      const because = module === undefined ? absence(home) : this.#loss(device, module, names);
      if (because === undefined && module === undefined && home.kind === 'untold') this.#untold++;
      else if (because === undefined) this.#kept++;
      const all = [...(classes.get(device.devpath) ?? [])];
      if (because === undefined) {
        if (module !== undefined) this.#firmware.note(module, device.firmware, all);
        continue;
      }
      const { devpath, driver } = device;
      this.#lost.push({
        machine: name,
        device: devpath,
        driver,
        ...(module === undefined ? {} : { module }),
        classes: all,
        because,
      });
    }
  }

  /** What the machine's kernel asks for by itself, each module that the tree would load for it. */
  #request(machine: string, name: string): void {
    for (const { decision, plan } of this.#places.ask(name)) {
      this.#places.want(plan);
      const { module } = decision.candidate;
      const because = plan === undefined ? undefined : this.#lossOf(module, [name]);
      const classes = [requestClass(name)];
      if (because !== undefined) this.#lost.push({ machine, device: name, driver: module, module, classes, because });
    }
  }

  /** What its root file system, or a device below that, wants. */
  #stored(machine: string, want: StorageWant): void {
    const { name, of, optional } = want;
    const lost = (driver: string, because: string, module?: ModuleName) =>
      this.#lost.push({
        machine,
        device: name,
        driver,
        ...(module === undefined ? {} : { module }),
        classes: ['disk'],
        because,
      });
    const known = storageName(want, (one) => this.#places.ask(one).length > 0);
    if (known === undefined) {
      if (isMissed(want)) lost(name, `${of} needs it: ${NOTHING_HAS_IT}`);
      return;
    }
    const losses: Array<readonly [module: ModuleName, because: string]> = [];
    let loads = 0;
    for (const { decision, plan } of this.#places.ask(known)) {
      this.#places.want(plan);
      const { module } = decision.candidate;
      const because = plan === undefined ? undefined : this.#lossOf(module, [known]);
      if (because === undefined) loads++;
      else losses.push([module, because]);
    }
    // Several modules have one cipher, and any of them will do.
    if (optional === true && loads > 0) return;
    for (const [module, because] of losses) lost(module, `${of} needs it: ${because}`, module);
  }

  #loss({ firmware }: BoundDevice, module: ModuleName, names: readonly string[]): string | undefined {
    const because = this.#lossOf(module, names);
    if (because !== undefined) return because;
    const recorded = firmware ?? [];
    if (recorded.length === 0 || recorded.some((file) => this.#firmware.has(file))) return undefined;
    return `${module} would find none of the firmware that the machine had: ${listed(recorded.slice(0, 3))}`;
  }

  /** Why none of the names would load a module from the image. */
  #lossOf(module: ModuleName, names: readonly string[]): string | undefined {
    const found = this.#places.ask(names[0] ?? module).find(({ decision }) => decision.candidate.module === module);
    const steps = found?.plan?.steps.filter(({ required, path }) => required && path !== '') ?? [];
    const lacking = steps.map((step) => step.module).filter((each) => !this.#image.has(each));
    if (lacking.includes(module)) return `${module} is not in the image`;
    if (lacking.length > 0) return `${module} needs ${listed(lacking)}, which the image lacks`;
    return this.#image.refusal(module, names);
  }

  /** Modules for devices that no machine has. What is for no device, file systems and the like, may be needed all the same. */
  #unneeded(): readonly UnneededModule[] {
    const forDevices = new Set<string>();
    for (const { key, value } of this.#places.sources.tree.indexes.aliases?.entries() ?? [])
      if (key.includes(':') && !/^(devname|symbol):/.test(key)) forDevices.add(value);
    return this.#image
      .all()
      .filter(({ name }) => forDevices.has(name) && !this.#places.isWanted(name))
      .map(({ name, path, bytes }) => ({ module: name, path, bytes }));
  }
}

/** Why a driver that is in no module is missing; undefined when it is not, or nothing tells. */
function absence(home: Home): string | undefined {
  return home.kind === 'absent' ? home.because : undefined;
}
