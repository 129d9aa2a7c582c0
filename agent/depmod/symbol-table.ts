/** Which module provides which symbol. In memory; no I/O of its own. */
import type { ModuleFile } from '../facts/modfiles/module-file.ts';
import type { KernelSymbol } from './kernel-build-symbols.ts';
import { NameNumbers } from './name-numbers.ts';

/** A symbol that a module needs. */
export interface Need {
  readonly name: string;
  /** The symbol's number. */
  readonly symbol: number;
  /** The version it was built against; 0 without one. */
  readonly crc: number;
  readonly weak: boolean;
}

/** Provided by the kernel itself, and by nobody. */
export const KERNEL = -1;
export const NOBODY = -2;

/**
 * Which module provides each symbol, and what each module needs. A name that several modules provide belongs to the last. Symbols are
 * known by their numbers.
 */
export class SymbolTable {
  readonly #prefix: number | undefined;
  readonly #numbers = new NameNumbers();
  /** By number: a module's position, or one of the two above; and the symbol's version. */
  readonly #providers: number[] = [];
  readonly #crcs: number[] = [];
  /** The module last seen to need it, so that each symbol counts once per module. */
  readonly #lastUser: number[] = [];
  readonly #needed: number[][] = [];
  readonly #details: Need[][] | undefined;

  /** `details`: also keeps versions and weakness of needs, for `needs`. */
  constructor(options: { readonly prefix: string | undefined; readonly details: boolean }) {
    this.#prefix = options.prefix?.charCodeAt(0);
    this.#details = options.details ? [] : undefined;
  }

  /** The kernel's own symbols, whose names have no prefix. */
  addKernel(symbols: readonly KernelSymbol[]): void {
    for (const { name, crc } of symbols) this.#provide(Buffer.from(name, 'latin1'), 0, KERNEL, crc);
  }

  /** Adds what the module at `position` provides and needs. */
  addModule(position: number, file: ModuleFile): void {
    const needed: number[] = [];
    const isKnown = file.visitSymbols({
      exported: (bytes, start, crc) => this.#provide(bytes, this.#behindPrefix(bytes, start), position, crc),
      // A needed name may begin with a dot (64-bit PowerPC: `.foo` is `foo`), then the prefix.
      needed: (bytes, start) => {
        const symbol = this.#number(bytes, this.#behindPrefix(bytes, bytes[start] === DOT ? start + 1 : start));
        if (this.#lastUser[symbol] === position) return;
        this.#lastUser[symbol] = position;
        needed.push(symbol);
      },
    });
    this.#needed[position] = isKnown ? needed : [];
    if (this.#details === undefined) return;
    this.#details[position] = (file.needs() ?? []).map(({ name, crc, weak }) => ({
      name,
      symbol: this.#ofName(name),
      crc: crc ?? 0,
      weak,
    }));
  }

  /** The numbers of the symbols that the module at `position` needs, each once. */
  needed(position: number): readonly number[] {
    return this.#needed[position] ?? [];
  }

  /** The same with versions; empty unless the table keeps `details`. */
  needs(position: number): readonly Need[] {
    return this.#details?.[position] ?? [];
  }

  /** The position of the module that provides the symbol of this number, KERNEL or NOBODY. */
  provider(symbol: number): number {
    return this.#providers[symbol] ?? NOBODY;
  }

  crc(symbol: number): number {
    return this.#crcs[symbol] ?? 0;
  }

  name(symbol: number): string {
    return this.#numbers.name(symbol);
  }

  /** The symbols that modules provide, in no particular order. */
  provided(): ReadonlyArray<{ readonly name: string; readonly module: number }> {
    const found: Array<{ readonly name: string; readonly module: number }> = [];
    for (const [symbol, module] of this.#providers.entries())
      if (module >= 0) found.push({ name: this.name(symbol), module });
    return found;
  }

  #provide(bytes: Uint8Array, start: number, module: number, crc: number): void {
    const symbol = this.#number(bytes, start);
    this.#providers[symbol] = module;
    this.#crcs[symbol] = crc;
  }

  #ofName(name: string): number {
    const bytes = Buffer.from(name, 'latin1');
    return this.#number(bytes, this.#behindPrefix(bytes, bytes[0] === DOT ? 1 : 0));
  }

  #behindPrefix(bytes: Uint8Array, start: number): number {
    return this.#prefix !== undefined && bytes[start] === this.#prefix ? start + 1 : start;
  }

  #number(bytes: Uint8Array, start: number): number {
    const symbol = this.#numbers.number(bytes, start);
    if (symbol < this.#providers.length) return symbol;
    this.#providers.push(NOBODY);
    this.#crcs.push(0);
    this.#lastUser.push(NOBODY);
    return symbol;
  }
}

const DOT = 0x2e;
