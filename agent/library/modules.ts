/** A module tree with the administrator's rules, as one object that plans what modprobe and the agent would do. Changes nothing. */
import { openHost, rootOf, type Host, type HostOptions } from '../base/host.ts';
import { lookupKey, moduleFile, moduleName, type ModuleName } from '../base/names.ts';
import { builtinInfo, readModuleInfo as readInfoIn, type ModuleInfo } from '../facts/modfiles/module-info.ts';
import type { ModinfoField } from '../facts/modfiles/modinfo.ts';
import type { NotAModule } from '../facts/modfiles/module-file.ts';
import type { Lookup } from '../match/candidate.ts';
import { parseDepLine, type ModuleFiles } from '../match/matcher.ts';
import { answer, type Answer } from '../load/answer.ts';
import { openSources, type Sources } from '../load/sources.ts';
import type { Problem } from '../base/problem.ts';
import type { Config } from '../rules/modprobe/config.ts';

/** A module of a tree; `path` is its file, absolute; undefined for one that is part of the kernel itself. */
export interface ListedModule {
  readonly module: ModuleName;
  readonly path: string | undefined;
}

/** What the kernel says about a module that is part of it (modules.builtin.modinfo). */
export interface BuiltinInfo {
  readonly kind: 'builtin';
  readonly module: ModuleName;
  /** As in a module's file: `{ key: 'license', value: 'GPL' }`. Empty when the tree lacks modules.builtin.modinfo. */
  readonly fields: readonly ModinfoField[];
}

/** The plan for a name: what it stands for, and for each candidate the decision of the rules and what would be inserted. */
export interface NamePlan {
  readonly lookup: Lookup;
  /** One for each candidate of the lookup, in its order; empty when nothing was found. */
  readonly answers: readonly Answer[];
}

/** The kind of request. */
export interface NamePlanOptions {
  /**
   * As a request by a device's MODALIAS, a `kmod load` rule or `modprobe -b`: `blacklist` counts for a module's own name, too.
   * Without it, as `modprobe NAME`.
   */
  readonly byRule?: boolean;
}

/**
 * One generation of a module tree and its rules. It reads indexes when first needed and keeps them; only the next openModules() sees
 * files that change later. Everything is synchronous. Names and modaliases are machine text: read them as latin1, so that one
 * character is one byte. The text file replaces a damaged index, and problems() reports it.
 */
export interface Modules {
  /** `6.1.0-56-amd64` */
  readonly kernel: string;
  /** `/mnt/image/lib/modules/6.1.0-56-amd64` */
  readonly moduleDir: string;
  /** modprobe.d, modules.softdep and the kernel command line, merged; every rule has its file and line. */
  readonly rules: Config;
  /** Which modules a module name, alias or modalias stands for, and how each was found. Of the rules only `alias` counts. */
  lookup(name: string): Lookup;
  /** What would be done for a module name, alias or modalias: decisions by rules, and plans. It changes nothing. */
  plan(name: string, options?: NamePlanOptions): NamePlan;
  /** A module's file and the files of all that it needs, nearest first, absolute; undefined when the tree has no such module. */
  files(module: string): ModuleFiles | undefined;
  /** Whether a module is part of the kernel itself. */
  isBuiltin(module: string): boolean;
  /** What a module says about itself; undefined when neither tree nor kernel has it. */
  info(module: string): ModuleInfo | NotAModule | BuiltinInfo | undefined;
  /** Every module of the tree, then those of the kernel itself, each part by name. */
  list(): Generator<ListedModule, void, undefined>;
  /** The problems found in configuration and tree so far. */
  problems(): readonly Problem[];
}

/**
 * What a module file says about itself, or why it is no module: `readModuleInfo('/tmp/e1000e.ko.xz')`. A path that is not UTF-8 comes
 * as bytes. With `root`, a tree that the file lies in, links are followed inside that tree.
 */
export function readModuleInfo(
  path: string | Buffer,
  options: { readonly root?: string | undefined } = {},
): ModuleInfo | NotAModule {
  return readInfoIn(rootOf(options), path);
}

/**
 * Opens the module tree and the rules of this machine, or of another root file system:
 *
 *     const modules = openModules({ root: '/mnt/image' });
 *     modules.lookup('pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00');
 *     // { kind: 'found', candidates: [{ module: 'e1000e', source: 'modules.alias', pattern: 'pci:v00008086d000010D3sv*…', … }] }
 *
 * Without `kernel`: the running release or, if a `root` lacks it, its only release. With a `root` nothing counts as loaded. Errors
 * (PlugdError): `no-modules-directory`; `usage` when the root is not a directory, or has several releases and the caller named none.
 */
export function openModules(options: HostOptions = {}): Modules {
  const host = openHost({ ...options, offline: true });
  return new OpenModules(host, openSources(host));
}

class OpenModules implements Modules {
  readonly kernel: string;
  readonly moduleDir: string;
  readonly #root: string;
  readonly #place: { readonly root: string; readonly moduleDir: string };
  readonly #sources: Sources;

  constructor({ kernel, moduleDir, root }: Host, sources: Sources) {
    this.kernel = kernel;
    this.moduleDir = moduleDir;
    this.#root = root;
    this.#place = { root, moduleDir };
    this.#sources = sources;
  }

  get rules(): Config {
    return this.#sources.config;
  }

  lookup(name: string): Lookup {
    return this.#sources.matcher.lookup(name);
  }

  plan(name: string, options: NamePlanOptions = {}): NamePlan {
    return answer(this.#sources, name, options.byRule === true);
  }

  files(module: string): ModuleFiles | undefined {
    const files = this.#sources.matcher.dependencies(moduleName(module));
    return files === undefined
      ? undefined
      : {
          path: moduleFile(this.#place, files.path),
          depends: files.depends.map((path) => moduleFile(this.#place, path)),
        };
  }

  isBuiltin(module: string): boolean {
    return this.#sources.matcher.isBuiltin(moduleName(module));
  }

  info(module: string): ModuleInfo | NotAModule | BuiltinInfo | undefined {
    const name = moduleName(module);
    const path = this.#sources.matcher.dependencies(name)?.path;
    if (path !== undefined) return readInfoIn(this.#root, moduleFile(this.#place, path));
    if (lookupKey(name) === undefined || !this.isBuiltin(name)) return undefined;
    const text = this.#sources.tree.files.readText('modules.builtin.modinfo') ?? '';
    return { kind: 'builtin', module: name, fields: builtinInfo(text, name) ?? [] };
  }

  *list(): Generator<ListedModule, void, undefined> {
    const { dep, builtin } = this.#sources.tree.indexes;
    for (const { key, value } of dep?.entries() ?? []) {
      yield { module: key as ModuleName, path: moduleFile(this.#place, parseDepLine(value)?.path ?? '') };
    }
    for (const { key } of builtin?.entries() ?? []) yield { module: key as ModuleName, path: undefined };
  }

  problems(): readonly Problem[] {
    return this.#sources.problems();
  }
}
