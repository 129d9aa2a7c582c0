/**
 * What /sys/module says about one module; reads only. A directory there is a loaded module, or a built-in one with parameters:
 *
 *     /sys/module/e1000e/initstate   live, coming or going; built-in modules have none
 *     /sys/module/e1000e/refcnt      0; not there when the kernel cannot unload modules
 *     /sys/module/mii/holders/       a link for each module that uses this one: e1000e -> ../../e1000e
 *
 * Source: Documentation/ABI/testing/sysfs-module.
 */
import { opendirSync } from 'node:fs';
import type { ModuleName } from '../../base/names.ts';
import { statHere } from '../../base/root.ts';
import { readAttribute } from '../attribute.ts';
import type { ModuleState } from './kernel-state.ts';

/**
 * The state of one module; undefined when it is not loaded. A directory without `initstate` means it is on its way, as in kmod, so
 * check first that the module is not built in.
 */
export function readModuleState(sysfs: string, module: ModuleName): ModuleState | undefined {
  const directory = `${sysfs}/module/${module}`;
  const state = readAttribute(`${directory}/initstate`);
  if (state === 'live' || state === 'coming' || state === 'going') return state;
  return statHere(directory)?.isDirectory() === true ? 'coming' : undefined;
}

/** How many users a loaded module has, holders included: `3`. Undefined where the kernel does not say. */
export function readRefcount(sysfs: string, module: ModuleName): number | undefined {
  const text = readAttribute(`${sysfs}/module/${module}/refcnt`);
  return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** The modules that use this one, in the directory's own order, which kmod keeps; empty when it has none or is not loaded. */
export function readHolders(sysfs: string, module: ModuleName): readonly ModuleName[] {
  const names: ModuleName[] = [];
  try {
    const directory = opendirSync(`${sysfs}/module/${module}/holders`);
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      names.push(entry.name as ModuleName);
    }
    directory.closeSync();
  } catch {
    // Not loaded, or gone in the meantime.
  }
  return names;
}
