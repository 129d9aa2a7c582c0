/** The `-h` texts of kmod's commands, built from the tables that also parse their command lines. Pure. */
import type { Option } from '../command.ts';
import { optionRows } from '../help.ts';
import type { LongOption } from './getopt.ts';

/** An option of one of kmod's commands, with its row in the help. */
export interface AppletOption extends LongOption {
  /** Without it the option is accepted but not shown: a name that kmod has dropped. */
  readonly help?: string;
  /** It means the same as the row before and shares its line: `-n, --show, --dry-run`. */
  readonly beside?: true;
  /** Rows of a group are shown together, in the order of the table; groups by their numbers, rows without one last. */
  readonly group?: number;
}

/** A command's options and operands, and its description. */
export interface AppletUsage {
  readonly name: string;
  /** The text after the name: `[OPTION...] MODULE...`. */
  readonly forms: readonly string[];
  /** A paragraph about what it does, with its line breaks. */
  readonly about: string;
  /** In kmod's order, which messages about ambiguous options show. */
  readonly options: readonly AppletOption[];
  /** A sentence below the options. */
  readonly notes?: string;
}

/** Options that most of the commands have. */
export const APPLET_OPTION = {
  syslog: { short: 's', long: 'syslog', help: 'messages go to the system log' },
  verbose: { short: 'v', long: 'verbose', help: 'more messages' },
  version: { short: 'V', long: 'version', help: 'print the version' },
  help: { short: 'h', long: 'help', help: 'print this' },
} as const satisfies Record<string, AppletOption>;

/** The options that the help shows, in the form of plugd's own; those without a long name are left out. */
export function shownOptions({ options }: AppletUsage): readonly Option[] {
  return options.flatMap(({ short, long, value, help }) =>
    long === undefined || help === undefined
      ? []
      : [{ long, help, ...(value === undefined ? {} : { value }), ...(short?.length === 1 ? { short } : {}) }],
  );
}

/** Texts begin in column 27. */
const LEFT = 23;

/** The text of `-h`; ASCII, as scripts in every locale read it. */
export function appletHelp({ name, forms, about, options, notes }: AppletUsage): string {
  const usage = forms.map((form, i) => `${i === 0 ? 'usage:' : '      '} ${name} ${form}`.trimEnd());
  const groups = [...new Set(options.map(groupOf))].toSorted((a, b) => a - b);
  const parts = groups.map((group) =>
    optionRows(rowsOf(options.filter((option) => groupOf(option) === group)), LEFT).join('\n'),
  );
  return `${[usage.join('\n'), about.trim(), ...parts, ...(notes === undefined ? [] : [notes])].join('\n\n')}\n`;
}

function groupOf({ group = Infinity }: AppletOption): number {
  return group;
}

function rowsOf(options: readonly AppletOption[]): ReadonlyArray<readonly [typed: string, text: string]> {
  const rows: Array<readonly [string, string]> = [];
  for (const option of options) {
    const [typed, text] = (option.beside === true ? rows.pop() : undefined) ?? ['', option.help];
    if (text !== undefined) rows.push([typed === '' ? typedName(option) : `${typed}, --${option.long ?? ''}`, text]);
  }
  return rows;
}

/** `-C, --config PATH`; a `short` of several letters is none. */
function typedName({ short, long, value }: AppletOption): string {
  return `${short?.length === 1 ? `-${short}, ` : '    '}--${long ?? ''}${value === undefined ? '' : ` ${value}`}`;
}
