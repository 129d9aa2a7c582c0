/** Why a package, or one of its modules, is not for a kernel. Pure. */
import { valueOf, type ShellMatches, type ShellValues } from './shell/shell-values.ts';
import { compareVersions } from './version-order.ts';

/** The BUILD_EXCLUSIVE directive that does not fit: `{ directive: 'BUILD_EXCLUSIVE_KERNEL_MIN', record: 0, value: '6.2' }`. */
export interface Exclusion {
  readonly directive: string;
  /** The index of its element. */
  readonly record: number;
  readonly value: string;
}

/** What exclusions are decided by. */
export interface ExclusionFacts {
  readonly values: ShellValues;
  readonly matches: ShellMatches;
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** What the kernel's configuration says of an option, `y` or `m`; undefined when there is no configuration to ask. */
  readonly option: ((name: string) => string | undefined) | undefined;
}

type Test = (facts: ExclusionFacts, value: string, directive: string, record: number) => boolean;

const matchesPattern: Test = ({ matches }, _, directive, record) => matches.get(directive)?.get(record) === true;

/** Each directive, and whether the kernel fits a value of it. */
const TESTS: ReadonlyArray<readonly [string, Test]> = [
  ['BUILD_EXCLUSIVE_KERNEL', matchesPattern],
  ['BUILD_EXCLUSIVE_KERNEL_MIN', ({ release }, value) => compareVersions(release, value) >= 0],
  ['BUILD_EXCLUSIVE_KERNEL_MAX', ({ release }, value) => compareVersions(release, value) <= 0],
  ['BUILD_EXCLUSIVE_ARCH', matchesPattern],
  ['BUILD_EXCLUSIVE_CONFIG', ({ option }, value) => option === undefined || fitsConfig(option, value)],
];

/** The first directive of a record that does not fit; undefined when all do. */
export function exclusionOf(facts: ExclusionFacts, record: number): Exclusion | undefined {
  for (const [directive, fits] of TESTS) {
    const value = valueOf(facts.values, directive, record);
    if (value !== '' && !fits(facts, value, directive, record)) return { directive, record, value };
  }
  return undefined;
}

/** Whether any element of any BUILD_EXCLUSIVE directive is set. */
export function hasExclusives(values: ShellValues): boolean {
  return TESTS.some(([directive]) => [...(values.get(directive)?.values() ?? [])].some((value) => value !== ''));
}

/** `CONFIG_A !CONFIG_B`: A is in the kernel or a module, B is neither. */
function fitsConfig(option: (name: string) => string | undefined, words: string): boolean {
  return words.split(/\s+/).every((word) => {
    const name = word.replace(/^!/, '');
    if (name === '') return true;
    const there = ['y', 'm'].includes(option(name) ?? '');
    return there !== word.startsWith('!');
  });
}
