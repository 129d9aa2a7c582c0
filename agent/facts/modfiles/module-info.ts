/** What a module file says about itself, as modinfo needs it. Reads only; report/ words it. */
import { ERRNO } from '../../base/errno.ts';
import { openModuleFile, type NotAModule } from './module-file.ts';
import { parseModinfo, type ModinfoField } from './modinfo.ts';
import { readSignature, type DamagedSignature, type ModuleSignature } from './signature.ts';
import type { Compression } from './compression.ts';

/** What a module file says about itself. */
export interface ModuleInfo {
  readonly kind: 'info';
  readonly path: string;
  readonly compression: Compression | undefined;
  /** The strings of `.modinfo` in their order. */
  readonly fields: readonly ModinfoField[];
  /** The GNU build id in hexadecimal, undefined without one. */
  readonly buildId: string | undefined;
  readonly signature: ModuleSignature | DamagedSignature | undefined;
}

/** Reads a module file's information; like kmod, treats a file without a `.modinfo` section as no module. */
export function readModuleInfo(root: string, path: string | Buffer): ModuleInfo | NotAModule {
  const file = openModuleFile(root, path);
  if (file.kind === 'not-a-module') return file;
  try {
    if (file.elf.section('.modinfo') === undefined) {
      return { kind: 'not-a-module', path: file.path, why: 'it has no section .modinfo', errno: ERRNO.ENOENT };
    }
    return {
      kind: 'info',
      path: file.path,
      compression: file.compression,
      fields: file.modinfo,
      buildId: file.buildId(),
      signature: readSignature(file),
    };
  } finally {
    file.close();
  }
}

/**
 * The kernel's information about a module that is part of it, from the text of modules.builtin.modinfo: `ext4.license=GPL\0`. The
 * strings of one module are adjacent there. Undefined when there are none.
 */
export function builtinInfo(text: string, module: string): readonly ModinfoField[] | undefined {
  const prefix = `${module}.`;
  const start = text.startsWith(prefix) ? 0 : text.indexOf(`\0${prefix}`) + 1;
  if (start === 0 && !text.startsWith(prefix)) return undefined;
  let strings = '';
  for (let at = start; text.startsWith(prefix, at);) {
    const nul = text.indexOf('\0', at);
    const end = nul < 0 ? text.length : nul;
    strings += `${text.slice(at + prefix.length, end)}\0`;
    at = end + 1;
  }
  return parseModinfo(strings);
}

/** A parameter: `parm=debug:Level of messages` and `parmtype=debug:int`, either of which may be missing. */
export interface ModuleParameter {
  readonly name: string;
  readonly description: string | undefined;
  readonly type: string | undefined;
}

/** A module's parameters in the order in which they first appear; of several strings of one kind the last counts. */
export function moduleParameters(fields: readonly ModinfoField[]): readonly ModuleParameter[] {
  const parameters = new Map<string, { name: string; description: string | undefined; type: string | undefined }>();
  for (const { key, value } of fields) {
    if (key !== 'parm' && key !== 'parmtype') continue;
    const colon = value.indexOf(':');
    if (colon < 0) continue;
    const name = value.slice(0, colon);
    let parameter = parameters.get(name);
    if (parameter === undefined) {
      parameter = { name, description: undefined, type: undefined };
      parameters.set(name, parameter);
    }
    if (key === 'parm') parameter.description = value.slice(colon + 1);
    else parameter.type = value.slice(colon + 1);
  }
  return [...parameters.values()];
}
