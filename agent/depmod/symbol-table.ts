import type { ModuleFile } from '../facts/module-file.ts';
import { withoutPrefix, type KernelSymbol } from './kernel-symbols.ts';

/** A symbol that a module needs. */
export interface Need {
  readonly name: string;
  /** The version it was built against; 0 without one. */
  readonly crc: number;
  readonly weak: boolean;
}

/** Provided by the kernel itself, and by nobody. */
export const KERNEL = -1;
export const NOBODY = -2;

/**
 * Who provides which symbol, and what each module needs. A name that several provide belongs to the last. The tree's
 * modules name a hundred thousand needs by twenty thousand names: each name is kept once and has a number.
 */
export class SymbolTable {
  readonly #prefix: string | undefined;
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  /** By number: a module's position, or one of the two above; and the symbol's version. */
  readonly #providers: number[] = [];
  readonly #crcs: number[] = [];
  /** The module that was last seen to need it: each symbol is noted once for each module. */
  readonly #lastUser: number[] = [];
  readonly #needed: number[][] = [];
  readonly #details: Need[][] | undefined;

  /** `details`: keep versions and weakness of needs too, for `needs`. */
  constructor(options: { readonly prefix: string | undefined; readonly details: boolean }) {
    this.#prefix = options.prefix;
    this.#details = options.details ? [] : undefined;
  }

  addKernel(symbols: readonly KernelSymbol[]): void {
    for (const { name, crc } of symbols) this.#provide(name, KERNEL, crc);
  }

  /** Takes what the module at `position` provides and needs. */
  addModule(position: number, file: ModuleFile): void {
    const { exported, undefinedNames, versionedNames } = file.symbols;
    for (const { name, crc } of exported) this.#provide(withoutPrefix(name, this.#prefix), position, crc);
    const needed: number[] = [];
    for (const name of undefinedNames) this.#need(name, position, needed);
    for (const name of versionedNames) if (name !== '') this.#need(name, position, needed);
    this.#needed[position] = needed;
    if (this.#details === undefined) return;
    this.#details[position] = (file.needs() ?? []).map(({ name, crc, weak }) => ({ name, crc: crc ?? 0, weak }));
  }

  /** The numbers of the symbols that the module at `position` needs. */
  needed(position: number): readonly number[] {
    return this.#needed[position] ?? [];
  }

  /** The same in full, in the same order; empty unless `details` were asked for. */
  needs(position: number): readonly Need[] {
    return this.#details?.[position] ?? [];
  }

  /** The position of the module that provides the symbol of this number, KERNEL or NOBODY. */
  provider(number: number): number {
    return this.#providers[number] ?? NOBODY;
  }

  crc(number: number): number {
    return this.#crcs[number] ?? 0;
  }

  name(number: number): string {
    return this.#names[number] ?? '';
  }

  /** The symbols that modules provide, in no particular order. */
  provided(): ReadonlyArray<{ readonly name: string; readonly module: number }> {
    return this.#providers
      .map((module, number) => ({ name: this.name(number), module }))
      .filter(({ module }) => module >= 0);
  }

  #provide(name: string, module: number, crc: number): void {
    const number = this.#number(name);
    this.#providers[number] = module;
    this.#crcs[number] = crc;
  }

  #need(name: string, position: number, needed: number[]): void {
    const number = this.#number(this.#lookedUp(name));
    if (this.#lastUser[number] === position) return;
    this.#lastUser[number] = position;
    needed.push(number);
  }

  /** A needed name may begin with a dot (64-bit PowerPC: `.foo` is `foo`), then the prefix. */
  #lookedUp(name: string): string {
    return withoutPrefix(name.startsWith('.') ? name.slice(1) : name, this.#prefix);
  }

  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    // A copy: a slice would keep the whole string table of its module in memory.
    const copy = Buffer.from(name, 'latin1').toString('latin1');
    this.#numbers.set(copy, this.#names.length);
    this.#providers.push(NOBODY);
    this.#crcs.push(0);
    this.#lastUser.push(NOBODY);
    return this.#names.push(copy) - 1;
  }
}
