/**
 * `KEY=value` strings as the kernel writes them for a device: ended by newlines in a `uevent` file, by NULs in a uevent. Pure.
 *
 *     DRIVER=e1000e\nPCI_CLASS=20000\nMODALIAS=pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00\n
 *
 * Hundreds of devices come at boot, and callers want one or two keys of each, so `get` searches the text instead of parsing it.
 */
import type { Modalias } from '../../base/names.ts';

/** A device's properties by key; a Map will do as well. */
export interface Properties {
  /** The value of a key, undefined without one; of a repeated key the last. */
  get(key: string): string | undefined;
  /** Each key once, in order, with its value. */
  [Symbol.iterator](): Iterator<[key: string, value: string]>;
}

/** Properties in the kernel's text. */
export class KeyValues implements Properties {
  readonly #text: string;
  readonly #end: '\n' | '\0';

  /** `text`: the strings, each ended by `end`, which the last may lack. */
  constructor(text: string, end: '\n' | '\0') {
    this.#text = `${end}${text}`;
    this.#end = end;
  }

  get(key: string): string | undefined {
    const at = this.#text.lastIndexOf(`${this.#end}${key}=`);
    return at < 0 ? undefined : this.#until(at + key.length + 2);
  }

  /** Every MODALIAS in order, each once; a device that is compatible with several kinds may have several. Empty ones are left out. */
  get modaliases(): readonly Modalias[] {
    const key = `${this.#end}MODALIAS=`;
    let at = this.#text.indexOf(key);
    if (at < 0) return NONE;
    const modaliases: Modalias[] = [];
    for (; at >= 0; at = this.#text.indexOf(key, at + 1)) {
      const value = this.#until(at + key.length) as Modalias;
      if (value !== '' && !modaliases.includes(value)) modaliases.push(value);
    }
    return modaliases;
  }

  *[Symbol.iterator](): Generator<[key: string, value: string]> {
    const values = new Map<string, string>();
    for (const string of this.#text.split(this.#end)) {
      const equals = string.indexOf('=');
      if (equals > 0) values.set(string.slice(0, equals), string.slice(equals + 1));
    }
    yield* values;
  }

  #until(begin: number): string {
    const end = this.#text.indexOf(this.#end, begin);
    return this.#text.slice(begin, end < 0 ? undefined : end);
  }
}

const NONE: readonly Modalias[] = [];
