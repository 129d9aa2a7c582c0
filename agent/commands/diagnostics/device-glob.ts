/** Devices that a person means by a word: `eth*`, `8086:10d3`, `nvme`. */
import { bareWord, deviceId, idInModaliases } from '../../facts/devices/device-word.ts';
import { compileGlob, isGlob } from '../../rules/glob.ts';

/** What of a device a word is compared with. */
export interface NamedDevice {
  readonly name: string;
  readonly devpath: string;
  readonly modaliases: readonly string[];
  readonly driver?: string | undefined;
  readonly modules?: readonly string[];
}

/** A test for a word: a glob matches a whole text, a word without a wildcard a part of one, an ID those of PCI and USB devices. */
export function deviceGlob(typed: string): (device: NamedDevice) => boolean {
  const word = bareWord(typed);
  const whole = compileGlob(word);
  const id = deviceId(word);
  const parts = id === undefined ? [word] : [word, ...idInModaliases(id)];
  const matches = isGlob(word) ? whole : (text: string) => parts.some((part) => text.includes(part));
  return ({ name, devpath, modaliases, modules = [], driver }) =>
    [name, devpath, ...modaliases, ...modules, ...(driver === undefined ? [] : [driver])].some(matches);
}
