/** A value with substitutions, `$kernel` `$number` `$env{X}` `$attr{x}` and their short forms `%k` `%n` `%E{X}` `%s{x}`. */
import type { DeviceView } from './device-view.ts';

/** What a template becomes for a device; a value that is not there is empty. */
export type Template = (device: DeviceView) => string;

/** udev's names, in the order in which it compares them; only the first letters must agree. Undefined: plugd has no answer. */
const NAMES: ReadonlyArray<
  readonly [long: string, short: string, value: ((argument: string) => Template) | undefined]
> = [
  ['devnode', 'N', undefined],
  ['tempnode', 'N', undefined],
  ['attr', 's', (name) => (device) => device.attribute(name)?.trimEnd() ?? ''],
  ['sysfs', 's', (name) => (device) => device.attribute(name)?.trimEnd() ?? ''],
  ['env', 'E', (name) => (device) => device.properties.get(name) ?? ''],
  ['kernel', 'k', () => (device) => device.kernelName],
  ['number', 'n', () => (device) => /\D(\d+)$/.exec(device.kernelName)?.[1] ?? ''],
  ['driver', 'd', undefined],
  ['devpath', 'p', undefined],
  ['id', 'b', undefined],
  ['major', 'M', undefined],
  ['minor', 'm', undefined],
  ['result', 'c', undefined],
  ['parent', 'P', undefined],
  ['name', 'D', undefined],
  ['links', 'L', undefined],
  ['root', 'r', undefined],
  ['sys', 'S', undefined],
];

/** The template that `text` is, or the substitution that plugd cannot make: `$result`. */
export function compileTemplate(text: string): Template | { readonly unknown: string } {
  const parts: Template[] = [];
  let literal = '';
  const endLiteral = () => {
    const value = literal;
    if (value !== '') parts.push(() => value);
    literal = '';
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign !== '$' && sign !== '%') {
      literal += sign;
      continue;
    }
    if (text[at + 1] === sign) {
      literal += sign;
      at++;
      continue;
    }
    const name = NAMES.find(([long, short]) => (sign === '$' ? text.startsWith(long, at + 1) : text[at + 1] === short));
    if (name === undefined) {
      literal += sign;
      continue;
    }
    const [long, , value] = name;
    if (value === undefined) return { unknown: `$${long}` };
    at += sign === '$' ? long.length : 1;
    let argument = '';
    const close = text[at + 1] === '{' ? text.indexOf('}', at) : -1;
    if (close >= 0) {
      argument = text.slice(at + 2, close);
      at = close;
    }
    endLiteral();
    parts.push(value(argument));
  }
  endLiteral();
  const [only] = parts;
  if (parts.length <= 1) return only ?? (() => '');
  return (device) => parts.map((part) => part(device)).join('');
}
