/**
 * Where a recorded driver is in a tree: in a module, inside the kernel, or nowhere. The tree's lists of modules and of what is
 * built in say most of it; then the driver's name, which is a string in the module or the kernel that has the driver.
 */
import type { Host } from '../../base/host.ts';
import { moduleFile, moduleName, type ModuleName } from '../../base/names.ts';
import type { BoundDevice } from '../../facts/devices/bound-device.ts';
import { readKernelConfig, type KernelConfig } from '../../facts/kernel/kernel-config.ts';
import {
  kernelImageOnce,
  readSystemMap,
  type KernelImage,
  type KernelSource,
} from '../../facts/kernel/kernel-image.ts';
import { moduleMentions, registersDriver } from '../../facts/modfiles/module-strings.ts';
import type { Sources } from '../../load/sources.ts';
import type { CandidateReport } from '../../records/investigation.ts';
import { moduleOfDriver, optionsOf } from './kernel-drivers.ts';
import { likest, isSameName, resembles } from './likeness.ts';
import { busesOf, busOf, describedNames, NO_BUSES } from './tree-names.ts';

/** Where it is. */
export type Home =
  | { readonly kind: 'module'; readonly module: ModuleName }
  | { readonly kind: 'kernel'; readonly because: string }
  | { readonly kind: 'absent'; readonly because: string; readonly remedy?: string }
  | { readonly kind: 'untold'; readonly because: string };
type HomeCandidate = Pick<CandidateReport, 'module' | 'source'>;

/** A shorter name may be in a kernel by chance. */
const SHORTEST_TELLING = 5;

/** Finds drivers in one tree; remembers what it has read. */
export class DriverHomes {
  readonly #host: Host;
  readonly #sources: Sources;
  readonly #mentioned = new Map<string, boolean>();
  readonly #inside = new Map<string, 'whole' | 'tail' | undefined>();
  readonly #alike = new Map<string, ModuleName | undefined>();
  #buses: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  #listed: ReadonlySet<string> | undefined;
  #names: readonly ModuleName[] | undefined;
  #described: ReadonlySet<ModuleName> | undefined;
  #config: { readonly config: KernelConfig | undefined } | undefined;
  #map: { readonly map: KernelImage | undefined } | undefined;
  readonly #kernelImage: KernelSource;

  constructor(host: Host, sources: Sources, kernelImage: KernelSource = kernelImageOnce(host)) {
    this.#host = host;
    this.#sources = sources;
    this.#kernelImage = kernelImage;
  }

  /** Where its driver is; `candidates`: what its MODALIASes lead to, `ranOn`: the release of the kernel on which it was bound. */
  find(device: BoundDevice & { readonly driver: string }, candidates: readonly HomeCandidate[], ranOn?: string): Home {
    const { matcher } = this.#sources;
    const { driver, subsystem } = device;
    const recorded = device.driverModule === undefined ? undefined : moduleName(device.driverModule);
    const own = moduleName(driver);
    if (recorded !== undefined) {
      if (this.#has(recorded)) return { kind: 'module', module: recorded };
      if (matcher.isBuiltin(recorded)) return inKernel(recorded);
    }
    // The kernel of this release had the driver inside; that no file here names it proves nothing then.
    if (device.builtin === true && ranOn === this.#host.kernel)
      return { kind: 'kernel', because: `it was inside Linux ${this.#host.kernel}` };
    const known = this.#known(subsystem, driver);
    if (known !== undefined) return known;
    const named = [own, ...this.#ofAuxiliary(device)];
    for (const { module, source } of candidates) {
      const builtin = source === 'builtin-alias' || source === 'modules.builtin';
      if (named.includes(module) || (!builtin && (this.#mentions(module, driver) || isSameName(module, driver))))
        return builtin ? inKernel(module) : { kind: 'module', module };
      if (builtin && (this.#isInBuiltin(module, driver) || isSameName(module, driver))) return inKernel(module);
    }
    for (const name of named) {
      if (matcher.isBuiltin(name)) return inKernel(name);
      if (this.#has(name) && this.#isOfBus(name, device)) return { kind: 'module', module: name };
    }
    if (named.some((name) => this.#isDescribed(name))) return inKernel(own);
    return this.#elsewhere(device, recorded);
  }

  /** Whether the module's own table of ids has any of the device's kinds of MODALIAS: then it drives what that table has. */
  listsIds(module: ModuleName, device: BoundDevice): boolean {
    const buses = this.#busesOf(module);
    // A device that is called as the driver is bound by that name.
    return device.modaliases.some(
      (modalias) => buses.has(busOf(modalias)) && modalias !== `platform:${device.driver ?? ''}`,
    );
  }

  #known(subsystem: string, driver: string): Home | undefined {
    const row = optionsOf(subsystem, driver);
    const module = moduleOfDriver(subsystem, driver);
    if (row !== undefined) {
      this.#config ??= { config: readKernelConfig(this.#host) };
      const { config } = this.#config;
      const values = row.options.map((option) => config?.value(option));
      const names = row.options.join(', ');
      if (values.includes('y')) return { kind: 'kernel', because: `${names} in ${config?.file ?? ''}` };
      if (config !== undefined && values.every((value) => value === undefined))
        return {
          kind: 'absent',
          because: `the kernel was built without ${names} (${config.file})`,
          remedy: 'use a kernel that has it, or a package that builds it for this one (DKMS)',
        };
      if (config === undefined && row.everywhere && (module === undefined || !this.#has(module)))
        return { kind: 'kernel', because: 'it is a part of every kernel' };
    }
    if (module === undefined) return undefined;
    if (this.#has(module)) return { kind: 'module', module };
    return this.#sources.matcher.isBuiltin(module) ? inKernel(module) : undefined;
  }

  /** A driver of the auxiliary bus is called MODULE.NAME. */
  #ofAuxiliary({ subsystem, driver = '' }: BoundDevice): readonly ModuleName[] {
    return subsystem === 'auxiliary' && driver.includes('.') ? [moduleName(driver.slice(0, driver.indexOf('.')))] : [];
  }

  #isInBuiltin(module: ModuleName, driver: string): boolean {
    const image = this.#kernel();
    return image?.kind === 'strings' ? this.#inImage(image, driver) !== undefined : resembles(module, driver);
  }

  /** Nothing here is called so: the kernel's own strings, and modules of a like name. */
  #elsewhere(device: BoundDevice & { readonly driver: string }, recorded: ModuleName | undefined): Home {
    const { driver } = device;
    const wanted = recorded ?? moduleName(driver);
    const absent = { kind: 'absent', because: `this tree has no module ${wanted}, nor is it built in` } as const;
    // Recordings of plugd 0.1 have names of parts of the kernel as modules (pcieport: pcieportdrv).
    if (recorded !== undefined && device.builtin === false) return absent;
    const alike = this.#alikeOf(driver, device.subsystem);
    if (alike !== undefined) return { kind: 'module', module: alike };
    const image = this.#kernel();
    const found = image === undefined ? undefined : this.#inImage(image, driver);
    if (image !== undefined && found !== undefined) {
      // The kernel may have made the device, and not the driver: the device's name is a string, too.
      const named = device.modaliases.some((modalias) => modalias === `platform:${driver}`);
      const certain = device.builtin === true || this.#symbols()?.has(driver) !== undefined;
      if (!certain && (named || found === 'tail' || driver.length < SHORTEST_TELLING))
        return {
          kind: 'untold',
          because: `no module here is named ${wanted}; ${image.file} has the name, perhaps for something else`,
        };
      return { kind: 'kernel', because: `${image.file} has a driver of that name` };
    }
    if (image?.kind === 'strings') return absent;
    if (this.#isBuiltinUnknown()) {
      const because = `no module here is named ${wanted}, and nothing here says what is built in: the driver may be in the kernel itself`;
      return { kind: 'untold', because };
    }
    // Only the lists of the build say what is inside.
    return { ...absent, because: `${absent.because} (no kernel image is here to look into)` };
  }

  /** Whether the kernel has the author, the parameters or another property of it: modules.builtin lists only what could be a module. */
  #isDescribed(module: ModuleName): boolean {
    this.#described ??= describedNames(this.#sources.tree.files.readText('modules.builtin.modinfo') ?? '');
    return this.#described.has(module);
  }

  #isBuiltinUnknown(): boolean {
    const { files } = this.#sources.tree;
    return (
      files.readText('modules.builtin') === undefined &&
      files.readText('modules.builtin.modinfo') === undefined &&
      files.readIndex('modules.builtin') === undefined
    );
  }

  #inImage(image: KernelImage, driver: string): 'whole' | 'tail' | undefined {
    if (!this.#inside.has(driver)) this.#inside.set(driver, image.has(driver));
    return this.#inside.get(driver);
  }

  #symbols(): KernelImage | undefined {
    return (this.#map ??= { map: readSystemMap(this.#host) }).map;
  }

  #kernel(): KernelImage | undefined {
    return this.#kernelImage() ?? this.#symbols();
  }

  #has(module: ModuleName): boolean {
    return this.#sources.matcher.dependencies(module) !== undefined;
  }

  /** Whether a module's data has the driver's name; of a file that cannot be read its own name tells. */
  #mentions(module: ModuleName, driver: string): boolean {
    const key = `${module} ${driver}`;
    let answer = this.#mentioned.get(key);
    if (answer === undefined) {
      const found = this.#sources.matcher.dependencies(module);
      const read =
        found === undefined ? undefined : moduleMentions(this.#host.root, moduleFile(this.#host, found.path), driver);
      this.#mentioned.set(key, (answer = read ?? resembles(module, driver)));
    }
    return answer;
  }

  /**
   * Whether a module of the driver's name is for the device's bus: dummy.ko is a network interface, the driver `dummy` of i2c is
   * not. Devices of the platform are often made by the module itself, which needs no ids for them.
   */
  #isOfBus(module: ModuleName, device: BoundDevice): boolean {
    const buses = this.#busesOf(module);
    const byName =
      device.modaliases.some((modalias) => modalias.startsWith('platform:')) || this.#isWithoutIds(device.subsystem);
    return buses.size === 0 || byName || this.listsIds(module, device) || buses.has(device.subsystem);
  }

  /** No module here lists ids of this bus, as of usb-serial: its drivers come with those of another bus, and only their names tell. */
  #isWithoutIds(bus: string): boolean {
    this.#buses ??= busesOf(this.#sources);
    this.#listed ??= new Set([...this.#buses.values()].flatMap((buses) => [...buses]));
    return !this.#listed.has(bus);
  }

  #busesOf(module: ModuleName): ReadonlySet<string> {
    this.#buses ??= busesOf(this.#sources);
    return this.#buses.get(module) ?? NO_BUSES;
  }

  /** The module of another name that has the driver: it mentions the name, and registers a driver on that bus. */
  #alikeOf(driver: string, bus: string): ModuleName | undefined {
    const key = `${bus} ${driver}`;
    if (!this.#alike.has(key)) {
      const has = (module: ModuleName) =>
        module !== moduleName(driver) && this.#mentions(module, driver) && this.#registers(module, bus);
      this.#alike.set(key, this.#alikeNames(driver).find(has));
    }
    return this.#alike.get(key);
  }

  #registers(module: ModuleName, bus: string): boolean {
    const { path } = this.#sources.matcher.dependencies(module) ?? {};
    return path !== undefined && registersDriver(this.#host.root, moduleFile(this.#host, path), bus) === true;
  }

  #alikeNames(name: string): readonly ModuleName[] {
    const { dep } = this.#sources.tree.indexes;
    this.#names ??= [...(dep?.entries() ?? [])].map(({ key }) => moduleName(key));
    return likest(this.#names, name);
  }
}

function inKernel(module: string): Home {
  return { kind: 'kernel', because: `${module} is built into the kernel` };
}
