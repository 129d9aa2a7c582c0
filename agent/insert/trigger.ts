/**
 * Asks the kernel to announce devices again, by writing an action into their `uevent` files (Documentation/ABI, sysfs-uevent).
 * The selectors are those of `udevadm trigger`: a device counts when, of each kind of selector that is given, one matches,
 * and none of the `no` kinds does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fsCode, reason } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import type { Devpath } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import { readDevices, type Device } from '../facts/devices/device.ts';
import { compileGlob } from '../rules/glob.ts';

/** What to select by; all are globs. `ATTR` alone means that the attribute is there. */
export interface TriggerSelection {
  readonly subsystems: readonly string[];
  readonly notSubsystems: readonly string[];
  /** `ATTR` or `ATTR=GLOB` */
  readonly attributes: readonly string[];
  readonly notAttributes: readonly string[];
  /** `KEY=GLOB`, of the device's uevent file. */
  readonly properties: readonly string[];
  readonly sysnames: readonly string[];
  /** Devpaths or syspaths; the device itself and all below it count. */
  readonly parents: readonly string[];
}

/** What came of one device. */
export interface Triggered {
  readonly devpath: Devpath;
  /** Why it could not be triggered; undefined when it was (or would be). */
  readonly failed: string | undefined;
}

/**
 * The devices of the selection, triggered one by one with `action`, each once; with `dryRun` they are only named. A device that
 * has gone meanwhile is left out.
 */
export function* trigger(
  host: Host,
  selection: TriggerSelection,
  action: string,
  dryRun: boolean,
): Generator<Triggered> {
  const selects = selectorOf(host, selection);
  const seen = new Set<Devpath>();
  for (const device of readDevices(host.sysfs)) {
    if (seen.has(device.devpath) || !selects(device)) continue;
    seen.add(device.devpath);
    const failed = dryRun ? undefined : write(`${host.sysfs}${device.devpath}/uevent`, action);
    if (failed !== 'gone') yield { devpath: device.devpath, failed };
  }
}

function anyOf(globs: readonly string[]): (text: string) => boolean {
  const tests = globs.map(compileGlob);
  return (text) => tests.some((matches) => matches(text));
}

interface Pair {
  readonly key: string;
  readonly matches: (text: string) => boolean;
}

/** `KEY=GLOB`, or `KEY` for whatever value. */
function pairs(words: readonly string[]): readonly Pair[] {
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) return { key: word, matches: () => true };
    return { key: word.slice(0, equals), matches: compileGlob(word.slice(equals + 1)) };
  });
}

function selectorOf(host: Host, selection: TriggerSelection): (device: Device) => boolean {
  const subsystems = anyOf(selection.subsystems);
  const notSubsystems = anyOf(selection.notSubsystems);
  const sysnames = anyOf(selection.sysnames);
  const properties = pairs(selection.properties);
  const attributes = pairs(selection.attributes);
  const notAttributes = pairs(selection.notAttributes);
  const parents = selection.parents.map((path) => path.replace(/^\/sys(?=\/)/, '').replace(/\/+$/, ''));
  const hasAttribute = (device: Device) => (pair: Pair) => {
    const value = readAttribute(`${host.sysfs}${device.devpath}/${pair.key}`);
    return value !== undefined && pair.matches(value);
  };
  return (device) =>
    (selection.subsystems.length === 0 || subsystems(device.subsystem)) &&
    !notSubsystems(device.subsystem) &&
    (selection.sysnames.length === 0 || sysnames(device.name)) &&
    (parents.length === 0 ||
      parents.some((path) => device.devpath === path || device.devpath.startsWith(`${path}/`))) &&
    (properties.length === 0 ||
      properties.some(({ key, matches }) => {
        const value = device.properties.get(key);
        return value !== undefined && matches(value);
      })) &&
    // Last, since they cost reads.
    (attributes.length === 0 || attributes.some(hasAttribute(device))) &&
    !notAttributes.some(hasAttribute(device));
}

/** Undefined when written, `gone` when there is no such device any more, else why it failed. */
function write(file: string, action: string): string | undefined {
  try {
    // A plain tree has files of the same name, which must not be made from nothing.
    readFileSync(file);
    writeFileSync(file, action, { flag: 'r+' });
    return undefined;
  } catch (error) {
    const code = fsCode(error);
    return code === 'ENOENT' || code === 'ENODEV' ? 'gone' : reason(error);
  }
}
