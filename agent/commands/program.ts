/**
 * From argv to a command and its exit status. Two programs are made of it: plugd (agent/cli.ts) and plugd-lite (native/lite/main.ts),
 * which has fewer commands.
 */
import { PlugdError } from '../base/error.ts';
import { meantWord } from '../base/spelling.ts';
import { VERSION } from '../base/version.ts';
import { unpainted } from '../report/terminal.ts';
import { EXIT, help, OPTION, type DescribedCommand } from './command.ts';
import type { Entry } from './command-table.ts';
import { optionRows } from './help.ts';
import { print, printJson, say } from './output.ts';

/** A program: its name, its commands, and what `--version` says. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly commands: readonly Entry[];
  /** What help does not show. */
  readonly hidden: readonly Entry[];
  /** Commands that read their arguments themselves and also run under their own names as argv[0], under a heading each. */
  readonly applets: ReadonlyArray<{ readonly heading: string; readonly entries: readonly Entry[] }>;
  /** Loads every command that help shows. */
  readonly describe: () => Promise<readonly DescribedCommand[]>;
}

const STATUS_OF: Readonly<Partial<Record<PlugdError['code'], number>>> = {
  usage: EXIT.usage,
  configuration: EXIT.configuration,
  system: EXIT.system,
};

/** The command prints JSON: its errors are JSON, too. */
let json = false;

/** Runs the command that argv (as process.argv) names: its exit status. Errors: what `exitStatus` takes. */
export async function runProgram(program: Program, argv: readonly string[]): Promise<number> {
  json = isJson(argv.slice(2));
  const called = (argv[1] ?? '').replace(/^.*\//, '');
  const applets = appletsOf(program);
  const applet = applets.find((entry) => entry.name === called);
  if (applet !== undefined) return (await applet.load()).command.run(argv.slice(2));
  const name = argv[2];
  const args = argv.slice(3);
  if (name === undefined) {
    say(overview(program));
    return EXIT.usage;
  }
  if (name === 'help' && args[0] !== undefined)
    return runProgram(program, [...argv.slice(0, 2), args[0], `--${OPTION.help.long}`]);
  if (name === '--help' || name === '-h' || name === 'help') {
    print(overview(program));
    return EXIT.done;
  }
  if (name === '--version' || name === '-V' || name === 'version') {
    print(`${program.version}\n`);
    return EXIT.done;
  }
  const named = applets.find((candidate) => candidate.name === name);
  if (named !== undefined) return (await named.load()).command.run(args);
  const entry = [...program.commands, ...program.hidden].find((candidate) => candidate.name === name);
  if (entry === undefined) throw noCommand(program, name);
  const own = optionWords(args);
  const { command } = await entry.load();
  if (own.includes(`--${OPTION.help.long}`) || own.includes(`-${OPTION.help.short}`)) {
    print(help(command, entry.summary));
    return EXIT.done;
  }
  return command.run(args, program.describe);
}

/** The words that may be options: those before `--`. */
function optionWords(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

function isJson(args: readonly string[]): boolean {
  return optionWords(args).includes(`--${OPTION.json.long}`);
}

function appletsOf({ applets }: Program): readonly Entry[] {
  return applets.flatMap(({ entries }) => entries);
}

function noCommand(program: Program, name: string): PlugdError {
  const names = [...program.commands, ...appletsOf(program)].map((entry) => entry.name);
  const meant = meantWord(name, [...names, 'help', 'version']);
  const guess = meant === undefined ? '' : `did you mean ${meant}? `;
  return new PlugdError('usage', `no command '${name}'`, { remedy: `${guess}see ${program.name} --help` });
}

function rows(entries: readonly Entry[]): string {
  return optionRows(
    entries.map(({ name, summary }) => [name, summary] as const),
    10,
  )
    .map((line) => `${line}\n`)
    .join('');
}

function overview({ name, commands, applets }: Program): string {
  const more = applets.map(({ heading, entries }) => `\n${heading}:\n${rows(entries)}`).join('');
  return `usage: ${name} COMMAND [OPTION…]

${rows(commands)}${more}
${name} help COMMAND tells more; ${name} version.
`;
}

/** What the machine, or this process, has no more of: whichever call needed some, it is no defect of plugd. */
const USED_UP: Readonly<Record<string, string>> = {
  ENOMEM: 'the system has no memory left for this process',
  EMFILE: 'this process may not open more files',
  ENFILE: 'the system cannot open more files',
};

/** A system call's error for which nothing was left, as a `PlugdError`; any other error is itself. */
function orUsedUp(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PlugdError) return error;
  const what = USED_UP[(error as NodeJS.ErrnoException).code ?? ''];
  return what === undefined ? error : new PlugdError('system', `${what} (${error.message})`, { cause: error });
}

/**
 * A `PlugdError` becomes a sentence for people, under --json also an object on standard output (docs/error.schema.json); anything else is
 * a defect of plugd and shows its stack. Gives the exit status.
 */
export function exitStatus(thrown: unknown): number {
  const error = orUsedUp(thrown);
  if (json) reportJson(error);
  if (!(error instanceof PlugdError)) {
    say(
      `plugd: a defect of plugd ${VERSION}, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.bug;
  }
  say(unpainted(`plugd: ${error.message}\n${error.remedy === undefined ? '' : `plugd: ${error.remedy}\n`}`));
  return STATUS_OF[error.code] ?? EXIT.negative;
}

function reportJson(error: unknown): void {
  const { message } = error instanceof Error ? error : { message: String(error) };
  const [code, remedy] = error instanceof PlugdError ? [error.code, error.remedy] : ['defect', undefined];
  try {
    printJson({ error: { code, message, remedy } });
  } catch {
    // Standard output cannot be written, which may be the error itself; the sentence follows.
  }
}
