/** The record of `modinfo --json` (docs/modinfo.schema.json). Pure conversion. */
import { fromMachineText } from '../base/machine-text.ts';
import type { ModuleInfoRecord } from '../records/module-info.ts';
import type { ModinfoField } from '../facts/modfiles/modinfo.ts';
import { moduleParameters, type ModuleInfo } from '../facts/modfiles/module-info.ts';
import type { NotAModule } from '../facts/modfiles/module-file.ts';
import type { ModuleInfoSubject } from '../records/module-info.ts';

/** The record of a module file, of a builtin module (its strings), or of a file that is not a module. */
export function moduleInfoRecord(
  { name, path }: ModuleInfoSubject,
  info: ModuleInfo | readonly ModinfoField[] | NotAModule,
): ModuleInfoRecord {
  const isFile = 'kind' in info;
  const strings = !isFile ? info : info.kind === 'info' ? info.fields : [];
  const fields: Record<string, string[]> = {};
  for (const { key, value } of strings) {
    if (key !== 'parm' && key !== 'parmtype') (fields[utf8(key)] ??= []).push(utf8(value));
  }
  const parameters = moduleParameters(strings).map(({ name: parameter, description, type }) => ({
    name: utf8(parameter),
    ...(description === undefined ? {} : { description: utf8(description) }),
    ...(type === undefined ? {} : { type: utf8(type) }),
  }));
  return {
    name: utf8(name),
    builtin: path === undefined,
    ...(path === undefined ? {} : { filename: utf8(path) }),
    fields,
    parameters,
    ...(isFile && info.kind === 'info' ? fileRecord(info) : {}),
    ...(isFile && info.kind === 'not-a-module' ? { error: info.why } : {}),
  };
}

function fileRecord({ compression, buildId, signature }: ModuleInfo): Partial<ModuleInfoRecord> {
  return {
    ...(compression === undefined ? {} : { compression }),
    ...(buildId === undefined ? {} : { buildId }),
    ...(signature === undefined
      ? {}
      : signature.kind === 'damaged'
        ? { signature: { damaged: signature.why } }
        : {
            signature: {
              id: signature.idType,
              signer: utf8(signature.signer),
              key: signature.keyId.toString('hex'),
              hash: signature.hash,
              value: signature.value.toString('hex'),
            },
          }),
  };
}

function utf8(text: string): string {
  const decoded = fromMachineText(text);
  return decoded.isWellFormed() ? decoded : text;
}
