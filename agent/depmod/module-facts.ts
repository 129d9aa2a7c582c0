import { errnoText } from '../base/errno.ts';
import { PlugdError } from '../base/error.ts';
import { openModuleFile, type ModuleFile } from '../facts/module-file.ts';
import type { Say } from './message.ts';
import { nativePath, type TreeModule } from './tree-module.ts';

/** What depmod takes from a module file. All latin1. */
export interface ModuleFacts {
  readonly aliases: readonly string[];
  readonly softdeps: readonly string[];
  readonly weakdeps: readonly string[];
}

/** Takes the symbols of a module while its file is open, so that only their numbers have to be kept. */
export type TakeSymbols = (file: ModuleFile) => void;

const NOTHING: ModuleFacts = { aliases: [], softdeps: [], weakdeps: [] };

/** Reads one module. A file that is none is an error message and a module without any facts: it stays in modules.dep. */
export function readModuleFacts(module: TreeModule, take: TakeSymbols, say: Say): ModuleFacts {
  const file = openModuleFile(nativePath(module.path));
  if (file.kind === 'not-a-module') {
    say('error', `failed to load symbols from ${module.path}: ${errnoText(file.errno)} (${file.why})`);
    return NOTHING;
  }
  try {
    take(file);
    const facts = { aliases: [] as string[], softdeps: [] as string[], weakdeps: [] as string[] };
    for (const { key, value } of file.modinfo) {
      if (key === 'alias') facts.aliases.push(value);
      else if (key === 'softdep') facts.softdeps.push(value);
      else if (key === 'weakdep') facts.weakdeps.push(value);
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
