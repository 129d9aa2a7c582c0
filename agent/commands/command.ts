/** The frame of plugd's own commands: options, help, exit statuses. Reads argv only; each command does its own work. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { PlugdError, reason } from '../base/error.ts';
import { openHost, type Host, type OfflineOptions } from '../base/host.ts';
import { meantWord } from '../base/spelling.ts';
import { optionRows, paragraph } from './help.ts';

/**
 * Exit statuses of plugd's own commands (the kmod-named ones keep kmod's 0 and 1). `negative` is every answer of no: nothing matches, what
 * was named is not there, it was refused. `usage` is a command line that means nothing, wherever it runs.
 */
export const EXIT = { done: 0, negative: 1, configuration: 2, untold: 3, usage: 64, bug: 70, system: 71 } as const;

/** One option. One table gives parsing and `--help`, and a test checks the manual pages against it. */
export interface Option {
  readonly long: string;
  readonly short?: string;
  /** The value's name in help (`DIR`); an option without one is a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  /** The value when none is given: then one is written behind '=' (`--boot-lists=rancher`) or left out. */
  readonly otherwise?: string;
  readonly help: string;
}

/** One command. `run` gets the arguments after its name and returns the exit status. command-table.ts has its summary. */
export interface Command {
  readonly name: string;
  /** The text after the name: `[OPTION…] MODALIAS… | -`. */
  readonly usage: string;
  readonly options?: readonly Option[];
  /** A paragraph or examples below the options. */
  readonly notes?: string;
  /** `all` loads every command of the program with its summary. */
  run(args: readonly string[], all?: () => Promise<readonly DescribedCommand[]>): Promise<number>;
}

/** A command with its row in the table. */
export interface DescribedCommand {
  readonly summary: string;
  readonly command: Command;
}

/** Options that mean the same everywhere; a command lists those it takes. */
export const OPTION = {
  root: { long: 'root', value: 'DIR', help: 'work on the file system tree below DIR' },
  kernel: { long: 'kernel', value: 'VERSION', help: 'use the module tree of this kernel release' },
  sysfs: { long: 'sysfs', value: 'DIR', help: 'read devices from DIR instead of /sys' },
  proc: { long: 'proc', value: 'DIR', help: 'read kernel state from DIR instead of /proc' },
  json: { long: 'json', help: 'print JSON (schema in docs/)' },
  dryRun: { long: 'dry-run', short: 'n', help: 'show what would be done, change nothing' },
  verbose: { long: 'verbose', short: 'v', help: 'say more' },
  quiet: { long: 'quiet', short: 'q', help: 'print only the bare answer, without remarks' },
  help: { long: 'help', short: 'h', help: 'show this help' },
} as const satisfies Record<string, Option>;

/** The options that `hostOf` reads: which machine a command works on. */
export const HOST_OPTIONS: readonly Option[] = [OPTION.root, OPTION.kernel, OPTION.sysfs, OPTION.proc];

/** A parsed command line. */
export interface Arguments {
  /** The value of an option; of a repeated one the last. */
  value(option: Option): string | undefined;
  values(option: Option): readonly string[];
  has(option: Option): boolean;
  readonly words: readonly string[];
}

/**
 * Parses `args` by the command's table. It rejects empty values: `--root ''` comes from a variable that is not set. Errors: `usage`,
 * naming the option and pointing to --help.
 */
export function parse(command: Command, args: readonly string[]): Arguments {
  const options: OptionTable = {};
  for (const option of [...(command.options ?? []), OPTION.help] as readonly Option[]) {
    options[option.long] = {
      type: option.value === undefined ? 'boolean' : 'string',
      multiple: true,
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: withValues(command, args), options, allowPositionals: true, strict: true });
  } catch (error) {
    const unknown = unknownOption(args, options);
    if (unknown !== undefined) throw usage(command, `Unknown option '${unknown}'`, meantOption(unknown, options));
    throw usage(command, reason(error).replace(/\. To specify a positional argument.*$/s, ''));
  }
  for (const [name, values] of Object.entries(parsed.values)) {
    if (Array.isArray(values) && values.includes('')) throw usage(command, `--${name}: its value is empty`);
  }
  const all = (option: Option) => (parsed.values[option.long] ?? []) as ReadonlyArray<string | boolean>;
  const strings = (option: Option) => all(option).filter((value) => typeof value === 'string');
  return {
    value: (option) => strings(option).at(-1),
    values: strings,
    has: (option) => all(option).length > 0,
    words: parsed.positionals,
  };
}

/** The arguments with a value for each option that may do without one. */
function withValues({ options = [] }: Command, args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const option = options.find(({ long, otherwise }) => otherwise !== undefined && arg === `--${long}`);
    return option === undefined || (end >= 0 && i > end) ? arg : `${arg}=${option.otherwise ?? ''}`;
  });
}

type OptionTable = NonNullable<ParseArgsConfig['options']>;

/** The first option that the table does not have, as it was typed: `--jsn`, `-x`. */
function unknownOption(args: readonly string[], options: OptionTable): string | undefined {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  return unknown?.kind === 'option' ? unknown.rawName : undefined;
}

function meantOption(typed: string, options: OptionTable): string | undefined {
  const meant = typed.startsWith('--') ? meantWord(typed.slice(2), Object.keys(options)) : undefined;
  return meant === undefined ? undefined : `--${meant}`;
}

function usage({ name }: Command, text: string, meant?: string): PlugdError {
  const guess = meant === undefined ? '' : `did you mean ${meant}? `;
  return new PlugdError('usage', text, { remedy: `${guess}see plugd ${name} --help` });
}

/** Rejects arguments that are not options. Errors: `usage`. */
export function noArguments(command: Command, { words }: Arguments): void {
  if (words.length > 0) throw usage(command, `${command.name} takes no arguments: ${words.join(' ')}`);
}

/** The host that HOST_OPTIONS name; `offline` as in openHost. Errors: `usage` for an invalid kernel release; those of openHost. */
export function hostOf(parsed: Arguments, offline?: OfflineOptions['offline']): Host {
  const kernel = parsed.value(OPTION.kernel);
  if (kernel?.includes('/') === true) throw new PlugdError('usage', `--kernel ${kernel}: not a kernel release`);
  return openHost({
    root: parsed.value(OPTION.root),
    kernel,
    sysfs: parsed.value(OPTION.sysfs),
    proc: parsed.value(OPTION.proc),
    offline,
  });
}

/** A whole number in [least, most]. Errors: `usage`, naming the option. */
export function wholeNumber(option: Option, text: string, least: number, most: number): number {
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new PlugdError('usage', `--${option.long} ${text}: not a whole number from ${least} to ${most}`);
}

/** A command's help text, at most 80 columns wide; `summary` is its sentence in command-table.ts. */
export function help(command: Command, summary: string): string {
  const rows = [...(command.options ?? []), OPTION.help].map((option: Option): readonly [string, string] => [
    `${option.short === undefined ? '    ' : `-${option.short}, `}--${option.long}${valueText(option)}`,
    option.help,
  ]);
  const left = Math.min(26, Math.max(...rows.map(([typed]) => typed.length)));
  const parts = [
    `usage: plugd ${command.name} ${command.usage}`,
    paragraph(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
    optionRows(rows, left).join('\n'),
    ...(command.notes === undefined ? [] : [command.notes.trim()]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function valueText({ value, otherwise }: Option): string {
  if (value === undefined) return '';
  return otherwise === undefined ? ` ${value}` : `[=${value}]`;
}
