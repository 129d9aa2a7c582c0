import type { ModuleFile } from '../facts/module-file.ts';
import { withoutPrefix, type KernelSymbol } from './kernel-symbols.ts';

/** Who provides a symbol. */
export interface Provider {
  /** The module's position; undefined for the kernel itself. */
  readonly module: number | undefined;
  readonly crc: number;
}

/** A symbol that a module needs. */
export interface Need {
  readonly name: string;
  readonly crc: number;
  readonly weak: boolean;
}

/**
 * Who provides which symbol, and what each module needs. A name that several provide belongs to the last; names of half
 * the tree's symbols are met again and again, so each is kept once.
 */
export class SymbolTable {
  readonly #prefix: string | undefined;
  readonly #providers = new Map<string, Provider>();
  readonly #names = new Map<string, string>();
  readonly #needs: Need[][] = [];

  constructor(prefix: string | undefined) {
    this.#prefix = prefix;
  }

  addKernel(symbols: readonly KernelSymbol[]): void {
    for (const { name, crc } of symbols) this.#providers.set(this.#keep(name), { module: undefined, crc });
  }

  /** Takes what the module at `position` provides and needs. */
  addModule(position: number, file: ModuleFile): void {
    for (const { name, crc } of file.exports()) {
      this.#providers.set(this.#keep(withoutPrefix(name, this.#prefix)), { module: position, crc });
    }
    const needs = (file.needs() ?? []).map(({ name, crc, weak }) => ({ name: this.#keep(name), crc: crc ?? 0, weak }));
    this.#needs[position] = needs;
  }

  needs(position: number): readonly Need[] {
    return this.#needs[position] ?? [];
  }

  /** A needed name may begin with a dot (64-bit PowerPC: `.foo` is `foo`), then the prefix. */
  provider(name: string): Provider | undefined {
    return this.#providers.get(withoutPrefix(name.startsWith('.') ? name.slice(1) : name, this.#prefix));
  }

  /** The symbols that modules provide, in no particular order. */
  *provided(): Generator<{ readonly name: string; readonly module: number }> {
    for (const [name, { module }] of this.#providers) if (module !== undefined) yield { name, module };
  }

  /** The one copy of a name. A slice would keep the whole string table of its module in memory. */
  #keep(name: string): string {
    let kept = this.#names.get(name);
    if (kept === undefined) {
      kept = Buffer.from(name, 'latin1').toString('latin1');
      this.#names.set(kept, kept);
    }
    return kept;
  }
}
