/**
 * The files that machines need: modules with all that they need and may want, and the firmware that is there for them. Reads only; it asks
 * match, rules and plan through load/answer.ts, as a boot would.
 *
 * Firmware counts if a module declares it that drives a device, or that such a driver depends on; where a recording tells which of the
 * declared files its machine has, only those. `allFirmware` takes what the other modules declare, too.
 */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import type { StorageWant } from '../facts/devices/storage-path.ts';
import { openFirmware, type FirmwareSearch } from '../facts/devices/firmware.ts';
import { firmwareNames } from '../explain/replay/recorded-firmware.ts';
import { answer } from '../load/answer.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { Closure, ClosureFile, ClosureGap, ClosureReason } from '../records/closure.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import { fileHops } from './file-hops.ts';
import { isMissed, MachineWants, NOTHING_HAS_IT, storageName, suppliersOf, type Machine } from './machine-wants.ts';

/** What a closure is made for. */
export interface ClosureRequest {
  readonly host: Host;
  readonly machines: readonly Machine[];
  /** Their sysfs can be asked for suppliers. */
  readonly live: boolean;
  /** Names of modules, aliases or MODALIASes. */
  readonly names: readonly string[];
  /** What file systems, and devices below them, want by name. */
  readonly storage?: readonly StorageWant[];
  readonly allFirmware: boolean;
  /** What is missing beforehand: recordings that cannot be used. */
  readonly missing: readonly ClosureGap[];
}

/** The closure. Errors: `no-modules-directory`. */
export function closureOf(request: ClosureRequest): Closure {
  return new Builder(request).build();
}

/** A module that is needed. */
interface Needed {
  readonly module: ModuleName;
  /** In the tree, on this machine. */
  readonly path: string;
  readonly why: ClosureReason;
  /** Its firmware counts. */
  firmware: boolean;
  /** Only these of the files that it declares; undefined for all. */
  only: Set<string> | undefined;
}

class Builder {
  readonly #request: ClosureRequest;
  readonly #sources: Sources;
  readonly #needed = new Map<ModuleName, Needed>();
  readonly #answers = new Map<string, ReturnType<typeof answer>['answers']>();
  readonly #missing: ClosureGap[];
  readonly #told = new Set<string>();
  readonly #files = new Map<string, ClosureFile>();

  constructor(request: ClosureRequest) {
    this.#request = request;
    // Nothing counts as loaded: an image begins with nothing.
    this.#sources = openSources(request.host, () => undefined);
    this.#missing = [...request.missing];
  }

  build(): Closure {
    const { host, machines, names } = this.#request;
    const wants = new MachineWants(host, this.#sources, (name) => ({
      modules: this.#answer(name).map(({ decision }) => decision.candidate),
    }));
    for (const machine of machines) {
      for (const { module, why, drives, firmware } of wants.of(machine)) {
        // What the MODALIAS leads to; a driver's own module by its name.
        const name = why.kind === 'device' && this.#leadsTo(why.name, module) ? why.name : module;
        this.#take(name, module, why, drives, firmware);
      }
      for (const name of machine.asked ?? []) this.#named(name, { kind: 'request', name, machine: machine.name });
      for (const want of machine.root?.wants ?? []) this.#stored(want, machine.name);
    }
    this.#missing.push(...wants.missing);
    for (const name of names) this.#named(name, { kind: 'name', name });
    for (const want of this.#request.storage ?? []) this.#stored(want);
    if (this.#request.live) this.#suppliers(machines);
    this.#weakdeps();
    for (const { module, path, why } of this.#needed.values()) this.#addFile('module', path, why, module);
    this.#firmware();
    const files = [...this.#files.values()];
    const sum = (kind: ClosureFile['kind']) =>
      files.filter((file) => file.kind === kind).reduce((bytes, file) => bytes + file.bytes, 0);
    return {
      kernel: host.kernel,
      moduleDir: host.moduleDir,
      machines: machines.map((machine) => machine.name),
      files,
      missing: this.#missing,
      bytes: { modules: sum('module'), firmware: sum('firmware') },
    };
  }

  #answer(name: string): ReturnType<typeof answer>['answers'] {
    let answers = this.#answers.get(name);
    if (answers === undefined) this.#answers.set(name, (answers = answer(this.#sources, name, false).answers));
    return answers;
  }

  #leadsTo(name: string, module: ModuleName): boolean {
    return this.#answer(name).some(({ decision }) => decision.candidate.module === module);
  }

  /** Adds the plan of the module that `name` leads to. */
  #take(
    name: string,
    module: ModuleName,
    why: ClosureReason,
    drives: boolean,
    firmware: readonly string[] | undefined,
  ): void {
    const known = this.#needed.get(module);
    if (known !== undefined && (!drives || (known.firmware && known.only === undefined))) return;
    const found = this.#answer(name).find(({ decision }) => decision.candidate.module === module);
    if (found === undefined || found.decision.kind === 'builtin') return;
    const { decision, plan } = found;
    if (isKeptOut(decision.kind)) {
      this.#gap({ kind: 'kept-out', name: module, because: decision.reason, why });
      return;
    }
    for (const { reason, module: blocked } of plan?.blocked ?? [])
      this.#gap({ kind: 'module', name: blocked, because: reason, why });
    for (const step of plan?.steps ?? []) {
      if (step.path === '') continue;
      const own = step.module === module;
      const stepWhy: ClosureReason =
        own || step.why === 'target' ? why : { kind: step.why, of: step.for ?? module, place: step.place };
      this.#need(step.module, step.path, stepWhy, drives && step.required, own ? firmware : undefined);
    }
  }

  #need(
    module: ModuleName,
    path: string,
    why: ClosureReason,
    firmware: boolean,
    names: readonly string[] | undefined,
  ): void {
    const known = this.#needed.get(module);
    if (known === undefined) {
      this.#needed.set(module, { module, path, why, firmware, only: names === undefined ? undefined : new Set(names) });
    } else if (firmware) {
      // Several machines may have told their files; one that has not wants all.
      if (!known.firmware) known.only = names === undefined ? undefined : new Set(names);
      else if (names === undefined) known.only = undefined;
      else for (const name of names) known.only?.add(name);
      known.firmware = true;
    }
  }

  #named(name: string, why: ClosureReason): void {
    const answers = this.#answer(name);
    // What the kernel asked for in vain is not missed.
    if (answers.length === 0 && why.kind !== 'request') this.#gap({ kind: 'name', name, because: NOTHING_HAS_IT, why });
    for (const { decision } of answers) this.#take(name, decision.candidate.module, why, true, undefined);
  }

  /** What a file system, or a device below it, wants; of a recorded machine, or of this one. */
  #stored(want: StorageWant, machine?: string): void {
    const { name, of } = want;
    const known = storageName(want, (one) => this.#answer(one).length > 0);
    if (known === undefined && !isMissed(want)) return;
    this.#named(known ?? name, { kind: 'storage', name, of, ...(machine === undefined ? {} : { machine }) });
  }

  #suppliers(machines: readonly Machine[]): void {
    for (const device of machines.flatMap(({ devices }) => devices)) {
      if (device.driver === undefined) continue;
      const of = (device.driverModule ?? device.driver) as ModuleName;
      for (const module of suppliersOf(this.#request.host, device))
        this.#take(module, module, { kind: 'supplier', of }, true, undefined);
    }
  }

  /** What modules may want: nothing loads it, and an image should have it. */
  #weakdeps(): void {
    const rules = ruleIndex(this.#sources.config);
    // The map grows while it is read, so those of what is added come, too.
    for (const { module } of this.#needed.values()) {
      const rule = rules.first('weakdeps', module);
      for (const member of rule?.members ?? []) {
        for (const { decision } of this.#answer(member))
          this.#take(
            member,
            decision.candidate.module,
            { kind: 'weakdep', of: module, place: rule?.place },
            false,
            undefined,
          );
      }
    }
  }

  #firmware(): void {
    const { host, allFirmware } = this.#request;
    const search: FirmwareSearch = openFirmware(host);
    for (const { module, firmware, only } of this.#needed.values()) {
      if (!firmware && !allFirmware) continue;
      for (const name of firmwareNames(host, this.#sources, module) ?? []) {
        if (only?.has(name) === false && !allFirmware) continue;
        const why: ClosureReason = { kind: 'firmware', of: module, name };
        const paths = search.all(name);
        for (const path of paths) this.#addFile('firmware', path, why);
        if (paths.length > 0) continue;
        const because =
          search.folders.length === 0
            ? 'there is no folder of firmware'
            : `none of ${search.folders.map((folder) => folder.slice(host.root.length)).join(', ')} has it, plain, .zst or .xz`;
        this.#gap({ kind: 'firmware', name, because, why });
      }
    }
  }

  /** A file with every link on the way to it. */
  #addFile(kind: 'module' | 'firmware', path: string, why: ClosureReason, module?: ModuleName): void {
    const hops = fileHops(this.#request.host.root, path);
    if (hops === undefined) this.#gap({ kind, name: module ?? path, because: `${path} is not there`, why });
    let reason = why;
    for (const hop of hops ?? []) {
      const { target, bytes } = hop;
      const file = target === undefined ? { kind, path: hop.path, module, bytes } : { kind: 'link' as const, ...hop };
      if (!this.#files.has(hop.path)) this.#files.set(hop.path, { ...file, why: reason });
      reason = { kind: 'link', from: hop.path };
    }
  }

  #gap(gap: ClosureGap): void {
    const key = `${gap.kind} ${gap.name}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#missing.push(gap);
  }
}
