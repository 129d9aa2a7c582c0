/**
 * What machines would lose with a boot image: each of their devices with a driver in the tree is asked for in the image, by the image's own
 * indexes and rules. Reads only.
 */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { listed } from '../base/words.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import type { StorageWant } from '../facts/devices/storage-path.ts';
import type { ImageContents } from '../facts/initramfs/image-contents.ts';
import type { ImageWalk } from '../facts/initramfs/image-entries.ts';
import { DriverHomes, type Home } from '../explain/replay/driver-home.ts';
import { todaysModalias } from '../explain/replay/todays-modalias.ts';
import { answer, type Answer } from '../load/answer.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { ClosureGap } from '../records/closure.ts';
import type { DeviceClass, ImageCheck, ImageLoss, UnneededModule } from '../records/image-check.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import { classesBelow, classOf, requestClass } from './device-class.ts';
import { ImageFirmware } from './image-firmware.ts';
import { ImageModules } from './image-modules.ts';
import { staleFiles } from './image-age.ts';
import { isMissed, NOTHING_HAS_IT, storageName, type Machine } from './machine-wants.ts';

/** What is held against what. */
export interface ImageQuestion {
  readonly host: Host;
  /** What it is called. */
  readonly image: string;
  readonly walked: ImageWalk;
  readonly contents: ImageContents;
  readonly machines: readonly Machine[];
  readonly needed: readonly DeviceClass[];
  /** Recordings that cannot be used. */
  readonly missing: readonly ClosureGap[];
}

/** The check. Errors: `no-modules-directory` when the tree that the image is held against is missing. */
export function checkImage(question: ImageQuestion): ImageCheck {
  return new Checker(question).check();
}

/** A device with a driver, and where that is. */
interface Placed {
  readonly device: BoundDevice & { readonly driver: string };
  readonly home: Home;
  /** The module that must be in the image; undefined for a part of the kernel, and when nothing tells. */
  readonly module: ModuleName | undefined;
  /** What leads to it in the tree: MODALIASes, or its own name. */
  readonly names: readonly string[];
  readonly class: DeviceClass;
}

class Checker {
  readonly #question: ImageQuestion;
  readonly #sources: Sources;
  readonly #homes: DriverHomes;
  readonly #image: ImageModules;
  readonly #firmware: ImageFirmware;
  readonly #answers = new Map<string, readonly Answer[]>();
  readonly #wanted = new Set<ModuleName>();
  readonly #lost: ImageLoss[] = [];
  #kept = 0;
  #untold = 0;

  constructor(question: ImageQuestion) {
    const { host, contents } = question;
    this.#question = question;
    this.#sources = openSources(host, () => undefined);
    this.#homes = new DriverHomes(host, this.#sources);
    this.#image = new ImageModules(host, contents);
    this.#firmware = new ImageFirmware(host, this.#sources, contents);
  }

  check(): ImageCheck {
    const { host, image, machines, needed, missing, walked } = this.#question;
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
      stale: staleFiles(host, this.#sources, this.#question.contents),
      unneeded: machines.length === 0 ? [] : this.#unneeded(),
      firmware: this.#firmware.gaps(),
      problems: [...damage, ...this.#image.problems],
      missing,
    };
  }

  #machine({ name, devices, ranOn, asked = [], root }: Machine): void {
    for (const request of asked) this.#request(name, request);
    for (const want of root?.wants ?? []) this.#stored(name, want);
    const placed = devices.flatMap((device) => this.#place(device, ranOn) ?? []);
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
    for (const { decision, plan } of this.#ask(name)) {
      this.#want(plan);
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
    const known = storageName(want, (one) => this.#ask(one).length > 0);
    if (known === undefined) {
      if (isMissed(want)) lost(name, `${of} needs it: ${NOTHING_HAS_IT}`);
      return;
    }
    const losses: Array<readonly [module: ModuleName, because: string]> = [];
    let loads = 0;
    for (const { decision, plan } of this.#ask(known)) {
      this.#want(plan);
      const { module } = decision.candidate;
      const because = plan === undefined ? undefined : this.#lossOf(module, [known]);
      if (because === undefined) loads++;
      else losses.push([module, because]);
    }
    // Several modules have one cipher, and any of them will do.
    if (optional === true && loads > 0) return;
    for (const [module, because] of losses) lost(module, `${of} needs it: ${because}`, module);
  }

  #place(device: BoundDevice, ranOn: string | undefined): Placed | undefined {
    const { driver, modaliases } = device;
    const asked = [...modaliases, ...modaliases.flatMap((modalias) => todaysModalias(modalias) ?? [])];
    const found = asked.flatMap((name) => this.#ask(name).map((each) => ({ ...each, name })));
    for (const { plan } of found) this.#want(plan);
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
    const path = module === undefined ? undefined : this.#sources.matcher.dependencies(module)?.path;
    const placed = { device: bound, home, module, class: classOf(device, path === undefined ? '' : `/${path}`) };
    if (module === undefined) return { ...placed, names: [] };
    const leading = found.filter(({ decision }) => decision.candidate.module === module);
    // What a rule of the tree keeps out the image shall lack.
    if (leading.length > 0 && leading.every(({ decision }) => isKeptOut(decision.kind))) return undefined;
    const names = leading.filter(({ plan }) => plan !== undefined).map(({ name }) => name);
    if (names.length === 0) for (const { plan } of this.#ask(module)) this.#want(plan);
    return { ...placed, names: names.length === 0 ? [module] : names };
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
    const found = this.#ask(names[0] ?? module).find(({ decision }) => decision.candidate.module === module);
    const steps = found?.plan?.steps.filter(({ required, path }) => required && path !== '') ?? [];
    const lacking = steps.map((step) => step.module).filter((each) => !this.#image.has(each));
    if (lacking.includes(module)) return `${module} is not in the image`;
    if (lacking.length > 0) return `${module} needs ${listed(lacking)}, which the image lacks`;
    return this.#image.refusal(module, names);
  }

  #ask(name: string): readonly Answer[] {
    let answers = this.#answers.get(name);
    if (answers === undefined) this.#answers.set(name, (answers = answer(this.#sources, name, false).answers));
    return answers;
  }

  #want(plan: Answer['plan']): void {
    for (const { module } of plan?.steps ?? []) this.#wanted.add(module);
  }

  /** Modules for devices that no machine has. What is for no device, file systems and the like, may be needed all the same. */
  #unneeded(): readonly UnneededModule[] {
    const forDevices = new Set<string>();
    for (const { key, value } of this.#sources.tree.indexes.aliases?.entries() ?? [])
      if (key.includes(':') && !/^(devname|symbol):/.test(key)) forDevices.add(value);
    return this.#image
      .all()
      .filter(({ name }) => forDevices.has(name) && !this.#wanted.has(name))
      .map(({ name, path, bytes }) => ({ module: name, path, bytes }));
  }
}

/** Why a driver that is in no module is missing; undefined when it is not, or nothing tells. */
function absence(home: Home): string | undefined {
  return home.kind === 'absent' ? home.because : undefined;
}
