/** The symbols that a module needs, compared with those that the kernel and its modules offer. Reads only. */
import type { Host } from '../base/host.ts';
import { moduleFile, moduleName, type ModuleName, moduleNameFromPath } from '../base/names.ts';
import type { MissingSymbol, VersionMismatch, WithheldSymbol } from '../diagnosis/evidence.ts';
import { isGplCompatible, withheldSymbols, type OfferedSymbol } from '../diagnosis/symbol-terms.ts';
import { readKernelSymbols, type KernelSymbols } from '../facts/kernel/kernel-symbols.ts';
import type { ExportTerms } from '../facts/modfiles/export-terms.ts';
import { modinfoValue, modinfoValues } from '../facts/modfiles/modinfo.ts';
import { openModuleFile, type ModuleFile } from '../facts/modfiles/module-file.ts';
import { readKernelVersions } from '../facts/trees/kernel-sample.ts';
import type { Sources } from '../load/sources.ts';

/** Names that the kernel's loader itself provides. */
const MAGIC = new Set(['__this_module', '_GLOBAL_OFFSET_TABLE_', 'TOC.']);

/** What a module that exports symbols says about them. */
interface Provider {
  readonly path: string;
  readonly versions: ReadonlyMap<string, number>;
  readonly terms: ReadonlyMap<string, ExportTerms>;
  readonly license: string | undefined;
  /** Modules whose symbols it uses. */
  readonly uses: readonly ModuleName[];
}

/** Looks for the symbols of modules of one host. */
export class SymbolExaminer {
  readonly #host: Host;
  readonly #sources: Sources;
  readonly #isLoaded: (module: ModuleName) => boolean;
  readonly #providers = new Map<ModuleName, Provider | undefined>();
  readonly #proprietary = new Map<ModuleName, boolean>();
  #symbols: { readonly symbols: KernelSymbols | undefined } | undefined;

  constructor(host: Host, sources: Sources, isLoaded: (module: ModuleName) => boolean) {
    this.#host = host;
    this.#sources = sources;
    this.#isLoaded = isLoaded;
  }

  /**
   * The symbols of `file` that nothing would give it after the modules of `before`. `intree`: it was built with the kernel, so
   * what no module exports is the kernel's.
   */
  missing(
    file: ModuleFile,
    module: ModuleName,
    before: ReadonlySet<ModuleName>,
    intree: boolean,
  ): readonly MissingSymbol[] {
    const missing: MissingSymbol[] = [];
    const dependencies = this.#sources.matcher.dependencies(module)?.depends.map(moduleNameFromPath) ?? [];
    for (const { name, weak } of file.needs() ?? []) {
      if (weak || MAGIC.has(name)) continue;
      const provider = this.#providerOf(name);
      if (provider === undefined) {
        if (!intree && this.#kernelSymbols()?.has(name) === false)
          missing.push({ symbol: name, provider, inDep: false });
      } else if (
        provider !== module &&
        !before.has(provider) &&
        !this.#isLoaded(provider) &&
        !this.#sources.matcher.isBuiltin(provider)
      ) {
        missing.push({ symbol: name, provider, inDep: dependencies.includes(provider) });
      }
    }
    return missing;
  }

  /** The symbols of `file` that are there and that the kernel would not give it. */
  withheld(file: ModuleFile, module: ModuleName): readonly WithheldSymbol[] {
    const user = {
      module: moduleName(modinfoValue(file.modinfo, 'name') ?? module),
      license: modinfoValue(file.modinfo, 'license'),
      imports: modinfoValues(file.modinfo, 'import_ns'),
      release: this.#host.kernel,
    };
    return withheldSymbols(user, this.#offers(file, module));
  }

  *#offers(file: ModuleFile, module: ModuleName): Generator<OfferedSymbol> {
    for (const { name: symbol, weak } of file.needs() ?? []) {
      if (MAGIC.has(symbol)) continue;
      const provider = this.#providerOf(symbol);
      if (provider === module) continue;
      if (provider === undefined) {
        const kernel = this.#kernelSymbols();
        const terms = kernel?.terms(symbol);
        if (kernel !== undefined && terms !== undefined)
          yield { symbol, weak, provider, file: kernel.file, terms, proprietary: false };
        continue;
      }
      const own = this.#provider(provider);
      if (own === undefined) continue;
      const terms = own.terms.get(symbol) ?? { gplOnly: undefined, namespace: undefined };
      yield { symbol, weak, provider, file: own.path, terms, proprietary: this.#isProprietary(provider) };
    }
  }

  /** Whether a module is proprietary: by its license, or because it uses symbols of one that is. */
  #isProprietary(module: ModuleName): boolean {
    const known = this.#proprietary.get(module);
    if (known !== undefined) return known;
    // Modules that need each other cannot be loaded: no cycle is followed twice.
    this.#proprietary.set(module, false);
    const own = this.#provider(module);
    const answer =
      own !== undefined && (!isGplCompatible(own.license) || own.uses.some((each) => this.#isProprietary(each)));
    this.#proprietary.set(module, answer);
    return answer;
  }

  /** The symbols of which the module was built against another version than there is. */
  mismatches(versions: ReadonlyArray<{ readonly name: string; readonly crc: number }>): readonly VersionMismatch[] {
    const mismatches: VersionMismatch[] = [];
    const ofKernel = new Map<string, number>();
    const compare = (symbol: string, wanted: number, found: number | undefined, provider: string) => {
      if (found !== undefined && found !== 0 && found !== wanted) mismatches.push({ symbol, wanted, found, provider });
    };
    for (const { name, crc } of versions) {
      const provider = this.#providerOf(name);
      if (provider !== undefined) {
        compare(name, crc, this.#provider(provider)?.versions.get(name), provider);
        continue;
      }
      const known = this.#kernelSymbols()?.crc(name);
      if (known === undefined) ofKernel.set(name, crc);
      else compare(name, crc, known, 'the kernel');
    }
    const found = ofKernel.size === 0 ? undefined : readKernelVersions(this.#host, new Set(ofKernel.keys()));
    for (const [name, crc] of ofKernel) compare(name, crc, found?.get(name), 'the kernel');
    return mismatches;
  }

  #provider(module: ModuleName): Provider | undefined {
    if (!this.#providers.has(module)) this.#providers.set(module, this.#readProvider(module));
    return this.#providers.get(module);
  }

  #readProvider(module: ModuleName): Provider | undefined {
    const found = this.#sources.matcher.dependencies(module)?.path;
    if (found === undefined) return undefined;
    const path = moduleFile(this.#host, found);
    const file = openModuleFile(this.#host.root, path);
    if (file.kind !== 'module') return undefined;
    try {
      const uses = new Set((file.needs() ?? []).flatMap(({ name }) => this.#providerOf(name) ?? []));
      uses.delete(module);
      return {
        path,
        versions: new Map(file.exports().map(({ name, crc }) => [name, crc])),
        terms: file.exportTerms(),
        license: modinfoValue(file.modinfo, 'license'),
        uses: [...uses],
      };
    } finally {
      file.close();
    }
  }

  /** The module that exports a symbol; undefined for the kernel's own, and for those that nothing has. */
  #providerOf(symbol: string): ModuleName | undefined {
    return this.#sources.tree.indexes.symbols?.exact(`symbol:${symbol}`) as ModuleName | undefined;
  }

  #kernelSymbols(): KernelSymbols | undefined {
    this.#symbols ??= { symbols: readKernelSymbols(this.#host) };
    return this.#symbols.symbols;
  }
}
