/** What a shell completes for each command, read from the option tables and usage lines. Builds data only. */
import type { DescribedCommand, Option } from '../command.ts';

/**
 * What completes a word: names of this machine (`plugd __complete` prints them), files, folders, commands, shells, or `none`.
 */
export type WordKind =
  | 'device'
  | 'bus'
  | 'module'
  | 'loaded'
  | 'kernel'
  | 'file'
  | 'directory'
  | 'command'
  | 'shell'
  | 'none';

/** An option; `value` is absent for a switch. */
export interface CompletableOption {
  readonly long: string;
  readonly short?: string | undefined;
  readonly help: string;
  readonly value?: WordKind | undefined;
}

/** A command with its options and what its other words are. */
export interface CompletableCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletableOption[];
  readonly words: WordKind;
}

/** By the name of a value in the help. */
const OF_VALUE: Readonly<Record<string, WordKind>> = {
  DIR: 'directory',
  FILE: 'file',
  PATH: 'file',
  VERSION: 'kernel',
  DEVICE: 'device',
  MODULE: 'module',
};
/** By the name of the option, where its value's name says less. */
const OF_OPTION: Readonly<Record<string, WordKind>> = {
  bus: 'bus',
  module: 'module',
  'subsystem-match': 'bus',
  'subsystem-nomatch': 'bus',
  'sysname-match': 'device',
  'next-kernel': 'kernel',
};
/** By the words of a usage line; the first that is there. */
const OF_USAGE: ReadonlyArray<readonly [word: RegExp, kind: WordKind]> = [
  [/\bDEVICE\b/, 'device'],
  [/\bKEY\b|^FILE\b|\] FILE\b/, 'file'],
  [/\bSHELL\b/, 'shell'],
  [/\bMODULE\b/, 'module'],
];
/** By the command, where its usage line says less. */
const OF_COMMAND: Readonly<Record<string, WordKind>> = {
  devices: 'device',
  modules: 'module',
  rmmod: 'loaded',
  help: 'command',
};

/** Every command as shells complete it, `help` too. */
export function completable(all: readonly DescribedCommand[]): readonly CompletableCommand[] {
  const commands = all.map(({ summary, command: { name, usage, options = [] } }) => ({
    name,
    summary,
    options: [...options.filter(({ long }) => long !== HELP.long), HELP].map(optionOf),
    words: OF_COMMAND[name] ?? OF_USAGE.find(([word]) => word.test(usage))?.[1] ?? 'none',
  }));
  return [
    ...commands,
    { name: 'help', summary: 'show the help of a command', options: [], words: 'command' },
    { name: 'version', summary: 'print the version', options: [], words: 'none' },
  ];
}

const HELP: Option = { long: 'help', short: 'h', help: 'show this help' };

function optionOf({ long, short, value, help }: Option): CompletableOption {
  if (value === undefined) return { long, short, help };
  const kind = OF_OPTION[long] ?? OF_VALUE[value.replace(/\..*$/, '')] ?? 'none';
  return { long, short, help, value: kind };
}

/** The shells that completions are made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
