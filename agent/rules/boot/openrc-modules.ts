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
  return [...list.value.matchAll(/[^ \t\r\n]+/g)].map(({ 0: name, index }) => ({
    dialect: 'openrc',
    place: { file, line: list.line + newlines(list.value.slice(0, index)) },
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

function newlines(text: string): number {
  return text.split('\n').length - 1;
}

/** NAME=, NAME+=; a value is a run of quoted and bare parts. */
const ASSIGNMENT =
  /(^|[\n;])[ \t]*(?:(?:export|local|readonly)[ \t]+)?([A-Za-z_]\w*)(\+?=)((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s;"'\\])*)/g;

/** The variables of a script of assignments, each with its last value. */
function assignments(text: string): ReadonlyMap<string, Assigned> {
  const found = new Map<string, Assigned>();
  // A comment may have quotes in it; blanks keep all positions. A '#' inside a value stays.
  const bare = text.replaceAll(/^[ \t]*#[^\n]*/gm, (comment) => ' '.repeat(comment.length));
  for (const { 2: name = '', 3: operator = '=', 4: raw = '', 0: whole, index } of bare.matchAll(ASSIGNMENT)) {
    const line = 1 + newlines(bare.slice(0, index + whole.length - raw.length));
    const value = valueOf(raw, found);
    const before = operator === '+=' ? found.get(name) : undefined;
    found.set(name, before === undefined ? { value, line } : { value: before.value + value, line: before.line });
  }
  return found;
}

function valueOf(raw: string, known: ReadonlyMap<string, Assigned>): string {
  return raw.replaceAll(
    /'([^']*)'|\\(\n)?([\s\S]?)|\$(?:\{(\w+)\}|(\w+))|"/g,
    (part, single: string | undefined, newline: string | undefined, escaped = '', braced?: string, plain?: string) => {
      if (single !== undefined) return single;
      if (part.startsWith('\\')) return newline === undefined ? escaped : ` ${escaped}`;
      const name = braced ?? plain;
      // A variable's own lines are not lines of this value.
      return name === undefined ? '' : (known.get(name)?.value ?? '').replaceAll('\n', ' ');
    },
  );
}
