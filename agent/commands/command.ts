import { parseArgs, type ParseArgsConfig } from 'node:util';
import { PlugdError, reason } from '../base/error.ts';
import { openHost, type Host } from '../base/host.ts';

/** Exit statuses of plugd's own commands (the kmod-named ones keep kmod's 0 and 1). */
export const EXIT = { done: 0, negative: 1, configuration: 2, usage: 64, bug: 70, system: 71 } as const;

/** One option; the same table gives parsing, `--help` and the man pages. */
export interface Option {
  readonly long: string;
  readonly short?: string;
  /** The value's name in help (`DIR`); an option without one is a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** One command. `run` gets the words after its name and answers the exit status. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name: `[OPTION…] MODALIAS… | -`. */
  readonly usage: string;
  readonly options?: readonly Option[];
  /** A paragraph or examples under the options. */
  readonly notes?: string;
  run(args: readonly string[]): Promise<number>;
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
  quiet: { long: 'quiet', short: 'q', help: 'say less' },
  help: { long: 'help', short: 'h', help: 'show this help' },
} as const satisfies Record<string, Option>;

/** A parsed command line. */
export interface Arguments {
  /** The value of an option, of a repeated one the last. */
  value(option: Option): string | undefined;
  values(option: Option): readonly string[];
  has(option: Option): boolean;
  readonly words: readonly string[];
}

/** Parses `args` by the command's table. Errors: `usage`, naming the option and pointing to --help. */
export function parse(command: Command, args: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const option of [...(command.options ?? []), OPTION.help] as readonly Option[]) {
    options[option.long] = {
      type: option.value === undefined ? 'boolean' : 'string',
      multiple: true,
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const text = reason(error).replace(/\. To specify a positional argument.*$/s, '');
    throw new PlugdError('usage', text, { remedy: `see plugd ${command.name} --help` });
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

/** The host that the common options name. */
export function hostOf(parsed: Arguments): Host {
  return openHost({
    root: parsed.value(OPTION.root),
    kernel: parsed.value(OPTION.kernel),
    sysfs: parsed.value(OPTION.sysfs),
    proc: parsed.value(OPTION.proc),
  });
}

/** A whole number in [least, most]. Errors: `usage`, naming the option. */
export function wholeNumber(option: Option, text: string, least: number, most: number): number {
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new PlugdError('usage', `--${option.long} ${text}: not a whole number from ${least} to ${most}`);
}

/** A command's help text, at most 80 columns wide. */
export function help(command: Command): string {
  const rows = [...(command.options ?? []), OPTION.help].map((option: Option): readonly [string, string] => [
    `${option.short === undefined ? '    ' : `-${option.short}, `}--${option.long}${option.value === undefined ? '' : ` ${option.value}`}`,
    option.help,
  ]);
  const width = Math.min(26, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.flatMap(([left, right]) => {
    const wrapped = wrap(right, 80 - width - 4);
    const first =
      left.length > width ? [`  ${left}`, ...wrapped.map((text) => ' '.repeat(width + 4) + text)] : undefined;
    return first ?? wrapped.map((text, i) => `  ${(i === 0 ? left : '').padEnd(width)}  ${text}`);
  });
  const notes = command.notes === undefined ? '' : `\n${command.notes.trim()}\n`;
  return `usage: plugd ${command.name} ${command.usage}\n\n${wrap(`${command.summary}.`, 80).join('\n')}\n\n${lines.join('\n')}\n${notes}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
