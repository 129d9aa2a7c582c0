/**
 * Whether a module takes the parameters that it would be given. Its `.modinfo` has for each parameter `parm=NAME:text` (when
 * it is described) and `parmtype=NAME:type` (for the kernel's own types). An unknown one the kernel ignores with a warning
 * (since Linux 3.11); a value that does not fit makes it refuse the module. Source: kernel/params.c.
 */
import { nearestWord } from '../base/spelling.ts';
import type { Place } from '../base/names.ts';
import type { ModinfoField } from '../facts/modfiles/modinfo.ts';
import type { BadParameter } from './evidence.ts';

/** `param=value` words, and where they stand. */
export interface GivenParameters {
  readonly text: string;
  readonly place?: Place | undefined;
}

/** Parameters that the kernel itself takes for every module. */
const GENERAL = new Set(['dyndbg', 'async_probe']);

/** Names and types of a module's parameters; the type is undefined for those with code of their own. */
export function declaredParameters(fields: readonly ModinfoField[]): ReadonlyMap<string, string | undefined> {
  const declared = new Map<string, string | undefined>();
  for (const { key, value } of fields) {
    if (key !== 'parm' && key !== 'parmtype') continue;
    const colon = value.indexOf(':');
    const name = colon < 0 ? value : value.slice(0, colon);
    if (key === 'parm' && !declared.has(name)) declared.set(name, undefined);
    if (key === 'parmtype') declared.set(name, colon < 0 ? undefined : value.slice(colon + 1));
  }
  return declared;
}

/** What of the given parameters the module does not know, or will not take; empty when nothing. */
export function badParameters(
  fields: readonly ModinfoField[],
  given: readonly GivenParameters[],
): readonly BadParameter[] {
  if (given.length === 0) return [];
  const declared = declaredParameters(fields);
  const bad: BadParameter[] = [];
  for (const { text, place } of given) {
    for (const { name, value } of parameterWords(text)) {
      if (GENERAL.has(name)) continue;
      const known = [...declared.keys()].find((candidate) => plain(candidate) === plain(name));
      const type = known === undefined ? undefined : declared.get(known);
      const common = { name, value, type, place };
      if (known === undefined) bad.push({ ...common, kind: 'unknown', suggestion: nearestWord(name, declared.keys()) });
      else if (!fits(type, value)) bad.push({ ...common, kind: 'value', suggestion: undefined });
    }
  }
  return bad;
}

/** `a=1 b="x y" c` → its words; quotes are the kernel's: a pair of " keeps blanks together. */
export function parameterWords(
  text: string,
): ReadonlyArray<{ readonly name: string; readonly value: string | undefined }> {
  return (text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => {
    const bare = word.startsWith('"') ? word.replaceAll('"', '') : word;
    const equals = bare.indexOf('=');
    if (equals < 0) return { name: bare, value: undefined };
    return { name: bare.slice(0, equals), value: bare.slice(equals + 1).replaceAll('"', '') };
  });
}

/** The kernel takes '-' for '_' in names of parameters. */
function plain(name: string): string {
  return name.replaceAll('-', '_');
}

const BITS: Readonly<Record<string, number>> = {
  byte: 8,
  short: 16,
  ushort: 16,
  int: 32,
  uint: 32,
  long: 64,
  ulong: 64,
  ullong: 64,
  hexint: 32,
};
const BOOLEANS = /^([yYtT1nNfF0]|[oO][nNfF].*)/;

function fits(type: string | undefined, value: string | undefined): boolean {
  if (type === undefined) return true;
  if (type === 'bool' || type === 'invbool' || type === 'bint') return value === undefined || BOOLEANS.test(value);
  const array = /^array of (.+)$/.exec(type)?.[1];
  if (array !== undefined) return value === undefined ? false : value.split(',').every((part) => fits(array, part));
  const bits = BITS[type];
  if (bits === undefined) return type !== 'charp' && type !== 'string' ? true : value !== undefined;
  return value !== undefined && isNumber(value, bits, type.startsWith('u') || type === 'byte' || type === 'hexint');
}

/**
 * Whether a parameter that was given `value` shows `now` in /sys/module/NAME/parameters: a bool shows Y or N, a number decimal,
 * an array its elements, some of which may not have been given.
 */
export function sameValue(value: string | undefined, now: string): boolean {
  if (value === now || (now === 'Y' || now === 'N' ? truth(value) === now : false)) return true;
  if (value === undefined) return now === '1';
  const given = value.split(',');
  const shown = now.split(',');
  return given.length <= shown.length && given.every((part, i) => sameNumber(part, shown[i] ?? ''));
}

function truth(value = 'Y'): string | undefined {
  if (/^([yYtT1]|[oO][nN])/.test(value)) return 'Y';
  return BOOLEANS.test(value) ? 'N' : undefined;
}

function sameNumber(value: string, now: string): boolean {
  // A bool that is kept as a number shows that.
  return value === now || numberOf(value) === numberOf(now) || (truth(value) === 'Y' ? '1' : '0') === now;
}

function numberOf(text: string): number {
  return /^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : Number.NaN;
}

/** kstrtol with base 0: decimal, 0x hexadecimal, 0 octal; a newline may end it. */
function isNumber(value: string, bits: number, unsigned: boolean): boolean {
  const [, sign, digits] = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\n?$/.exec(value) ?? [];
  if (digits === undefined || (unsigned && sign === '-')) return false;
  const number = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const most = unsigned ? 1n << BigInt(bits) : (1n << BigInt(bits - 1)) + (sign === '-' ? 1n : 0n);
  return number < most;
}
