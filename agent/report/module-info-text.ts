/**
 * What modinfo prints, byte for byte as kmod's. A listing:
 *
 *     filename:       /lib/modules/6.1.0-56-amd64/kernel/drivers/net/dummy.ko
 *     license:        GPL
 *     sig_key:        55:59:20:85:09:FD:6E:5C
 *     parm:           numdummies:Number of dummy pseudo devices (int)
 *
 * A single field (-F) is its values alone. With -0 every line ends in a NUL, and fields are `key=value`, but parameters are
 * not: kmod's mixture, which scripts know.
 */
import type { ModuleInfoSubject } from '../records/module-info.ts';
import type { ModinfoField } from '../facts/modfiles/modinfo.ts';
import { moduleParameters, type ModuleInfo, type ModuleParameter } from '../facts/modfiles/module-info.ts';

/** How to show it. */
export interface ModuleInfoStyle {
  /** Only this field's values (-F). Case counts. */
  readonly field: string | undefined;
  /** What ends a line: a newline, or a NUL (-0). */
  readonly separator: '\n' | '\0';
}

/** The lines that stand in front, which need no look into the file: its name. */
export function moduleInfoHead({ name, path }: ModuleInfoSubject, { field, separator }: ModuleInfoStyle): string {
  const title = field === undefined ? (label: string) => label.padEnd(16) : () => '';
  const shows = (label: string) => field === undefined || field === label;
  const own = path === undefined && shows('name') ? `${title('name:')}${name}${separator}` : '';
  return shows('filename') ? `${own}${title('filename:')}${path ?? '(builtin)'}${separator}` : own;
}

/** The rest: `fields` as `allFields` gives them. */
export function moduleInfoBody(fields: readonly ModinfoField[], { field, separator }: ModuleInfoStyle): string {
  // kmod puts each parameter in front of those it has.
  const parameters = moduleParameters(fields).toReversed();
  if (field === 'parm') return parameters.map((parameter) => `${alone(parameter)}${separator}`).join('');
  if (field !== undefined) {
    return fields
      .filter(({ key }) => key === field)
      .map(({ value }) => `${value}${separator}`)
      .join('');
  }
  const lines = fields
    .filter(({ key }) => key !== 'parm' && key !== 'parmtype')
    .map(({ key, value }) => (separator === '\0' ? `${key}=${value}` : `${`${key}:`.padEnd(16)}${value}`));
  const told = parameters.map((parameter) => `${'parm:'.padEnd(16)}${listed(parameter)}`);
  return [...lines, ...told].map((line) => line + separator).join('');
}

/** The strings of `.modinfo`, then what stands elsewhere in the file, under the names that modinfo gives it. */
export function allFields({ fields, buildId, signature }: ModuleInfo): readonly ModinfoField[] {
  const more: ModinfoField[] = [];
  if (buildId !== undefined) more.push({ key: 'build-id', value: hexBytes(Buffer.from(buildId, 'hex')) });
  if (signature?.kind === 'signature') {
    more.push(
      { key: 'sig_id', value: signature.idType },
      { key: 'signer', value: signature.signer },
      { key: 'sig_key', value: hexBytes(signature.keyId) },
      { key: 'sig_hashalgo', value: signature.hash },
      { key: 'signature', value: hexBytes(signature.value) },
    );
  }
  return [...fields, ...more];
}

/** Parameters whose string has no colon, which modinfo complains of: `parm=debug`. */
export function brokenParameters(fields: readonly ModinfoField[]): readonly string[] {
  return fields
    .filter(({ key, value }) => (key === 'parm' || key === 'parmtype') && !value.includes(':'))
    .map(({ key, value }) => `Found invalid "${key}=${value}": missing ':'`);
}

function alone({ name, description, type }: ModuleParameter): string {
  return description === undefined ? `${name}: (${type ?? ''})` : `${name}:${described(description, type)}`;
}

function listed({ name, description, type }: ModuleParameter): string {
  return `${name}:${description === undefined ? (type ?? '') : described(description, type)}`;
}

function described(description: string, type: string | undefined): string {
  return type === undefined ? description : `${description} (${type})`;
}

/** `55:59:20:…`, twenty bytes a line; the lines after the first are indented by two TABs. */
function hexBytes(bytes: Uint8Array): string {
  let text = '';
  for (const [i, byte] of bytes.entries()) {
    if (i > 0) text += i % 20 === 0 ? ':\n\t\t' : ':';
    text += byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return text;
}
