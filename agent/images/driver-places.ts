/**
 * Where the drivers of machines' devices are in a tree: what a boot image is held against. A driver that no list names is looked for in the
 * kernel itself, which takes a second to unpack: `expect` begins that on another thread, while the image is read. Reads only.
 */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import { readKernelImage, readKernelImageAsync, type KernelImage } from '../facts/kernel/kernel-image.ts';
import { DriverHomes, type Home } from '../explain/replay/driver-home.ts';
import { todaysModalias } from '../explain/replay/todays-modalias.ts';
import { answer, type Answer } from '../load/answer.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { DeviceClass } from '../records/image-check.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import { classOf } from './device-class.ts';
import type { Machine } from './machine-wants.ts';

/** A device with a driver, and where that is. */
export interface Placed {
  readonly device: BoundDevice & { readonly driver: string };
  readonly home: Home;
  /** The module that must be in the image; undefined for a part of the kernel, and when nothing tells. */
  readonly module: ModuleName | undefined;
  /** What leads to it in the tree: MODALIASes, or its own name. */
  readonly names: readonly string[];
  readonly class: DeviceClass;
}

/** Answers for one tree, and remembers them. */
export class DriverPlaces {
  readonly host: Host;
  readonly sources: Sources;
  readonly #homes: DriverHomes;
  readonly #answers = new Map<string, readonly Answer[]>();
  readonly #wanted = new Set<ModuleName>();
  #kernel: { readonly image: KernelImage | undefined } | undefined;
  #coming: Promise<void> | undefined;
  #isLookingAhead = false;
  #isKernelWanted = false;

  /** Errors: `no-modules-directory`. */
  constructor(host: Host) {
    this.host = host;
    this.sources = openSources(host, () => undefined);
    this.#homes = new DriverHomes(host, this.sources, () => this.#readKernel());
  }

  /** Begins to unpack the kernel if one of these machines' drivers can only be looked for there. */
  expect(machines: readonly Machine[]): void {
    this.#isLookingAhead = true;
    for (const { devices, ranOn } of machines) for (const device of devices) this.place(device, ranOn);
    this.#isLookingAhead = false;
    if (!this.#isKernelWanted) return;
    this.#coming = readKernelImageAsync(this.host).then((image) => {
      this.#kernel = { image };
    });
  }

  /** Waits for what `expect` began. */
  async ready(): Promise<void> {
    await this.#coming;
  }

  #readKernel(): KernelImage | undefined {
    if (this.#isLookingAhead) {
      this.#isKernelWanted = true;
      return undefined;
    }
    this.#kernel ??= { image: readKernelImage(this.host) };
    return this.#kernel.image;
  }

  /** Where a device's driver is; undefined for a device without one, and where a rule of the tree keeps it out. */
  place(device: BoundDevice, ranOn: string | undefined): Placed | undefined {
    const { driver, modaliases } = device;
    const asked = [...modaliases, ...modaliases.flatMap((modalias) => todaysModalias(modalias) ?? [])];
    const found = asked.flatMap((name) => this.ask(name).map((each) => ({ ...each, name })));
    for (const { plan } of found) this.want(plan);
    if (driver === undefined) return undefined;
    const bound = { ...device, driver };
    const home = this.#homes.find(
      bound,
      found.map(({ decision }) => decision.candidate),
      ranOn,
    );
    const loadable = found.filter(({ plan }) => plan !== undefined);
    const own = home.kind === 'module' ? home.module : undefined;
    // Where the recorded driver is not in the tree, another one that matches must be in the image.
    const module = own ?? (home.kind === 'absent' ? loadable[0]?.decision.candidate.module : undefined);
    const path = module === undefined ? undefined : this.sources.matcher.dependencies(module)?.path;
    const placed = { device: bound, home, module, class: classOf(device, path === undefined ? '' : `/${path}`) };
    if (module === undefined) return { ...placed, names: [] };
    const leading = found.filter(({ decision }) => decision.candidate.module === module);
    // What a rule of the tree keeps out the image shall lack.
    if (leading.length > 0 && leading.every(({ decision }) => isKeptOut(decision.kind))) return undefined;
    const names = leading.filter(({ plan }) => plan !== undefined).map(({ name }) => name);
    if (names.length === 0) for (const { plan } of this.ask(module)) this.want(plan);
    return { ...placed, names: names.length === 0 ? [module] : names };
  }

  /** What the tree answers for a name. */
  ask(name: string): readonly Answer[] {
    let answers = this.#answers.get(name);
    if (answers === undefined) this.#answers.set(name, (answers = answer(this.sources, name, false).answers));
    return answers;
  }

  /** Notes the modules of a plan as wanted. */
  want(plan: Answer['plan']): void {
    for (const { module } of plan?.steps ?? []) this.#wanted.add(module);
  }

  /** Whether anything that was placed or noted so far wants the module. */
  isWanted(module: ModuleName): boolean {
    return this.#wanted.has(module);
  }
}
