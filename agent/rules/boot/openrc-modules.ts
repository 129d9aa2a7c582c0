/**
 * OpenRC's /etc/conf.d/modules, a shell script of assignments. Pure.
 *
 *     modules="loop br_netfilter"
 *     modules_6_1="loop"                        # instead, for kernels 6.1.…
 *     module_loop_args="max_loop=8"
 *     module_loop_args_6_1_0="max_loop=4"
 *
 * For a kernel 6.1.0-gentoo the first counts of modules_6_1_0_gentoo, modules_6_1_0, modules_6_1, modules_6 and modules; likewise for
 * the arguments. Values may be quoted, run over several lines, and use variables that were assigned before; other shell code is not run.
 * Source: OpenRC's init.d/modules.
 */
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { BootListEntry } from './boot-entry.ts';

interface Assigned {
  readonly value: string;
  /** Where the value begins. */
  readonly line: number;
}

/** The entries that count for a kernel `release`. */
export function readOpenrcModules({ file, text }: ConfigText, release: string): readonly BootListEntry[] {
  const variables = assignments(text);
  const first = (name: string) =>
    [...versions(release).map((version) => `${name}_${version}`), name]
      .map((each) => variables.get(each))
      .find((each) => each !== undefined && each.value.trim() !== '');
  const list = first('modules');
  if (list === undefined) return [];
  const before = newlinesBefore(list.value);
  return [...list.value.matchAll(/[^ \t\r\n]+/g)].map(({ 0: name, index }) => ({
    dialect: 'openrc',
    place: { file, line: list.line + before(index) },
    name,
    parameters: (first(`module_${shellName(name)}_args`)?.value ?? '').trim().replaceAll(/[\r\n]+/g, ' '),
    initramfsOnly: false,
  }));
}

/** `6.1.0-gentoo` → 6_1_0_gentoo, 6_1_0, 6_1, 6. */
function versions(release: string): readonly string[] {
  const numbers = release.replace(/-.*$/s, '').split('.');
  const shorter = numbers.map((_, i) => numbers.slice(0, numbers.length - i).join('.'));
  return [...new Set([release, ...shorter].map(shellName))];
}

function shellName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/g, '_');
}

/** How many newlines lie before a position; positions must ascend, so that a long text is read once. */
function newlinesBefore(text: string): (position: number) => number {
  let count = 0;
  let next = text.indexOf('\n');
  return (position) => {
    for (; next >= 0 && next < position; next = text.indexOf('\n', next + 1)) count++;
    return count;
  };
}

/** NAME=, NAME+=; a value is a run of quoted and bare parts. */
const ASSIGNMENT =
  /(^|[\n;])[ \t]*(?:(?:export|local|readonly)[ \t]+)?([A-Za-z_]\w*)(\+?=)((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s;"'\\])*)/g;

/** The variables of a script of assignments, each with its last value. */
function assignments(text: string): ReadonlyMap<string, Assigned> {
  const found = new Map<string, Assigned>();
  const expand = expansion(found);
  // A comment may have quotes in it; blanks keep all positions. A '#' inside a value stays.
  const bare = text.replaceAll(/^[ \t]*#[^\n]*/gm, (comment) => ' '.repeat(comment.length));
  const before = newlinesBefore(bare);
  for (const { 2: name = '', 3: operator = '=', 4: raw = '', 0: whole, index } of bare.matchAll(ASSIGNMENT)) {
    const line = 1 + before(index + whole.length - raw.length);
    const value = valueOf(raw, expand);
    const sofar = operator === '+=' ? found.get(name) : undefined;
    found.set(name, sofar === undefined ? { value, line } : { value: sofar.value + value, line: sofar.line });
  }
  return found;
}

/** The most bytes that variables may insert: each `a="$a$a"` doubles a value. */
const MOST_EXPANDED = 1 << 16;

/** The values of variables while a script is read; beyond its limit they are empty. */
function expansion(known: ReadonlyMap<string, Assigned>): (name: string) => string {
  let left = MOST_EXPANDED;
  return (name) => {
    const { value } = known.get(name) ?? { value: '' };
    if (value.length > left) return '';
    left -= value.length;
    // A variable's own lines are not lines of this value.
    return value.replaceAll('\n', ' ');
  };
}

function valueOf(raw: string, expand: (name: string) => string): string {
  return raw.replaceAll(
    /'([^']*)'|\\(\n)?([\s\S]?)|\$(?:\{(\w+)\}|(\w+))|"/g,
    (part, single: string | undefined, newline: string | undefined, escaped = '', braced?: string, plain?: string) => {
      if (single !== undefined) return single;
      if (part.startsWith('\\')) return newline === undefined ? escaped : ` ${escaped}`;
      const name = braced ?? plain;
      return name === undefined ? '' : expand(name);
    },
  );
}
