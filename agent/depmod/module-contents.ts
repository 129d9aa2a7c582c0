/** Reads what depmod needs from module files. Reads only; keeps no file open. */
import { availableParallelism } from 'node:os';
import { ERRNO, errnoText } from '../base/errno.ts';
import { PlugdError } from '../base/error.ts';
import {
  openModuleFile,
  openModuleFileAsync,
  type ModuleFile,
  type NotAModule,
} from '../facts/modfiles/module-file.ts';
import { inOneLine, whyNotInLine } from './line-text.ts';
import type { Say } from './message.ts';
import { nativePath } from '../base/machine-text.ts';
import type { TreeModule } from './tree-module.ts';

/** What depmod takes from a module file. All latin1. */
export interface ModuleFacts {
  readonly aliases: readonly string[];
  readonly softdeps: readonly string[];
  readonly weakdeps: readonly string[];
}

/** Receives the symbols of the module at a position while its file is open, so that only numbers need to be kept. */
export type TakeSymbols = (position: number, file: ModuleFile) => void;

const NOTHING: ModuleFacts = { aliases: [], softdeps: [], weakdeps: [] };

/** The sections that depmod reads in a module file (see module-symbols.ts). */
const SECTIONS = [
  '.modinfo',
  '.symtab',
  '.strtab',
  '__versions',
  '__version_ext_names',
  '__version_ext_crcs',
  '__ksymtab_strings',
  '__kcrctab',
  '__kcrctab_gpl',
];

/**
 * Files that are decompressed or wait for it, for each processor. With few, threads fall asleep and are woken again and again, which takes a
 * tenth of the processor time and a fifth of the time in all.
 */
const AHEAD = 4;

/**
 * Reads the modules of `root` ('' for the live machine) one by one, in order. It decompresses files ahead, as many at a time as there
 * are processors, because in a compressed tree that takes most of the time. A file that is not a module causes an error message and
 * counts as a module without facts: it stays in modules.dep.
 */
export async function readModules(
  root: string,
  modules: readonly TreeModule[],
  take: TakeSymbols,
  say: Say,
  progress: (done: number, total: number) => void = () => {},
): Promise<readonly ModuleFacts[]> {
  const ahead = AHEAD * availableParallelism();
  const coming = new Map<number, Promise<ModuleFile | NotAModule>>();
  const facts: ModuleFacts[] = [];
  for (const [i, module] of modules.entries()) {
    progress(i, modules.length);
    if (!isPacked(module)) {
      facts.push(readFacts(module, i, openModuleFile(root, nativePath(module.path)), take, say));
      continue;
    }
    for (let j = i; j < modules.length && j < i + ahead; j++) {
      const next = modules[j];
      if (next === undefined || !isPacked(next) || coming.has(j)) continue;
      coming.set(j, openModuleFileAsync(root, nativePath(next.path), SECTIONS));
    }
    // In order: the last module that provides a symbol owns it.
    const found = await coming.get(i);
    coming.delete(i);
    const isAlone = found === undefined || (found.kind === 'not-a-module' && found.errno === ERRNO.EFBIG);
    const file = isAlone ? openModuleFile(root, nativePath(module.path)) : found;
    facts.push(readFacts(module, i, file, take, say));
  }
  return facts;
}

function isPacked({ path }: TreeModule): boolean {
  return !path.endsWith('.ko');
}

function readFacts(
  module: TreeModule,
  position: number,
  file: ModuleFile | NotAModule,
  take: TakeSymbols,
  say: Say,
): ModuleFacts {
  if (file.kind === 'not-a-module') {
    say('error', `failed to load symbols from ${module.path}: ${errnoText(file.errno)} (${file.why})`);
    return NOTHING;
  }
  try {
    take(position, file);
    const facts = { aliases: [] as string[], softdeps: [] as string[], weakdeps: [] as string[] };
    const lists = { alias: facts.aliases, softdep: facts.softdeps, weakdep: facts.weakdeps };
    for (const { key, value } of file.modinfo) {
      if (key !== 'alias' && key !== 'softdep' && key !== 'weakdep') continue;
      // In modules.alias the module's name follows the pattern.
      const why = whyNotInLine(value, key !== 'alias');
      if (why === undefined) lists[key].push(value);
      else say('error', `${module.path}: ${key} with ${why}, which is left out: ${inOneLine(value)}`);
    }
    return facts;
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
    say('error', `failed to load symbols from ${error.message}`);
    return NOTHING;
  } finally {
    file.close();
  }
}
