/** Compiles the conditions of udev's rules. Pure; a condition that it cannot evaluate never matches. */
import type { DeviceView } from './device-view.ts';
import { compileGlob, globFault } from '../glob.ts';
import type { Pair } from './udev-line.ts';
import { compileTemplate } from './udev-template.ts';

/** One condition of a line; `cost` orders them: 0 for those of action and subsystem alone, those that read files last. */
export interface Condition {
  readonly cost: number;
  holds(device: DeviceView): boolean;
}

/** The condition that a `==` or `!=` pair is, or why plugd cannot evaluate it. */
export function compileCondition(pair: Pair): Condition | { readonly why: string } {
  const compile = Object.hasOwn(KEYS, pair.key) ? KEYS[pair.key] : undefined;
  return compile === undefined ? { why: `plugd has no ${pair.key} to compare` } : compile(pair);
}

const KEYS: Readonly<Record<string, (pair: Pair) => Condition | { readonly why: string }>> = {
  ACTION: (pair) => compare(pair, 0, (device) => device.action),
  SUBSYSTEM: (pair) => compare(pair, 0, (device) => device.subsystem),
  KERNEL: (pair) => compare(pair, 1, (device) => device.kernelName),
  DRIVER: (pair) => compare(pair, 1, (device) => device.properties.get('DRIVER') ?? ''),
  ENV: (pair) => {
    const name = pair.attribute;
    if (name === undefined) return { why: 'ENV needs a {property}' };
    return compare(pair, 1, (device) => device.properties.get(name) ?? '');
  },
  ATTR: (pair) => {
    if (pair.attribute === undefined) return { why: 'ATTR needs an {attribute}' };
    if (pair.attribute.startsWith('[')) return { why: 'ATTR of another device' };
    const name = compileTemplate(pair.attribute);
    if (typeof name !== 'function') return { why: `${name.unknown} is not known here` };
    const matches = compileValue(pair);
    const wanted = pair.operator === '==';
    const exact = /\s$/.test(pair.value);
    return {
      cost: 2,
      // An attribute that is not there satisfies neither == nor !=.
      holds: (device) => {
        const value = device.attribute(name(device));
        return value !== undefined && matches(exact ? value : value.trimEnd()) === wanted;
      },
    };
  },
  TEST: (pair) => {
    const path = compileTemplate(pair.value);
    if (typeof path !== 'function') return { why: `${path.unknown} is not known here` };
    if (pair.value.includes('*')) return { why: 'TEST with a wildcard' };
    const wanted = pair.operator === '==';
    if (pair.attribute === undefined) {
      return { cost: 3, holds: (device) => testPaths(path(device)).some((place) => device.exists(place)) === wanted };
    }
    if (!/^[0-7]+$/.test(pair.attribute)) return { why: `'${pair.attribute}' is not an octal mode` };
    const bits = Number.parseInt(pair.attribute, 8);
    const isSo = (device: DeviceView, place: string) =>
      device.mode === undefined ? device.exists(place) : ((device.mode(place) ?? 0) & bits) !== 0;
    return {
      cost: 3,
      holds: (device) => testPaths(path(device)).some((place) => isSo(device, place)) === wanted,
    };
  },
};

function compare(pair: Pair, cost: number, read: (device: DeviceView) => string): Condition {
  const matches = compileValue(pair);
  const wanted = pair.operator === '==';
  return { cost, holds: (device) => matches(read(device)) === wanted };
}

/** What keeps a pair's value from being matched; undefined when nothing does. */
export function valueFault({ operator, value }: Pair): string | undefined {
  if (operator !== '==' && operator !== '!=') return undefined;
  return value
    .split('|')
    .map(globFault)
    .find((each) => each !== undefined);
}

/** `a|b*`: any of the alternatives; an empty one, or an empty value, is the empty text. Without wildcards `\` is itself. */
function compileValue({ value, ignoreCase }: Pair): (text: string) => boolean {
  const pattern = ignoreCase ? value.toLowerCase() : value;
  const alternatives = pattern.split('|');
  const tests = /[*?[]/.test(pattern)
    ? alternatives.map((glob) => compileGlob(glob))
    : [(text: string) => alternatives.includes(text)];
  const [first] = tests;
  const any = tests.length === 1 && first !== undefined ? first : (text: string) => tests.some((test) => test(text));
  return ignoreCase ? (text) => any(text.toLowerCase()) : any;
}

/**
 * Where TEST looks: `/sys/x` as it is, `power/control` below the device, `[module/sg]/x` below the device of that subsystem
 * and name, which may be in any of the places that udev knows.
 */
function testPaths(path: string): readonly string[] {
  const device = /^\[([^/\]]*)\/([^\]]*)\](\/?)(.*)$/.exec(path);
  if (device === null) return [path];
  const [, subsystem = '', name = '', , rest = ''] = device;
  const below = rest === '' ? '' : `/${rest}`;
  if (subsystem === 'module') return [`/sys/module/${name}${below}`];
  if (subsystem === 'subsystem') return [`/sys/bus/${name}${below}`, `/sys/class/${name}${below}`];
  const driver = /^([^:]+):(.+)$/.exec(name);
  if (subsystem === 'drivers' && driver !== null) return [`/sys/bus/${driver[1]}/drivers/${driver[2]}${below}`];
  return [`/sys/bus/${subsystem}/devices/${name}${below}`, `/sys/class/${subsystem}/${name}${below}`];
}
