/** From argv to a command and its exit status. No logic of its own: commands/ does the work. */
import { EXIT, help, OPTION } from './commands/command.ts';
import {
  APPLETS,
  COMMANDS,
  describeAll,
  DKMS_COMMANDS,
  HIDDEN_COMMANDS,
  KMOD_COMMANDS,
  type Entry,
} from './commands/command-table.ts';
import { optionRows } from './commands/help.ts';
import { print, printJson, say } from './commands/output.ts';
import { PlugdError } from './base/error.ts';
import { meantWord } from './base/spelling.ts';
import { VERSION } from './base/version.ts';
import { unpainted } from './report/terminal.ts';

const STATUS_OF: Readonly<Partial<Record<PlugdError['code'], number>>> = {
  usage: EXIT.usage,
  configuration: EXIT.configuration,
  system: EXIT.system,
};

/** The command prints JSON: its errors are JSON, too. */
let json = false;

async function main(argv: readonly string[]): Promise<number> {
  const called = (argv[1] ?? '').replace(/^.*\//, '');
  const applet = APPLETS.find((entry) => entry.name === called);
  if (applet !== undefined) return (await applet.load()).command.run(argv.slice(2));
  const name = argv[2];
  const args = argv.slice(3);
  if (name === undefined) {
    say(overview());
    return EXIT.usage;
  }
  if (name === 'help' && args[0] !== undefined) return main([...argv.slice(0, 2), args[0], `--${OPTION.help.long}`]);
  if (name === '--help' || name === '-h' || name === 'help') {
    print(overview());
    return EXIT.done;
  }
  if (name === '--version' || name === '-V' || name === 'version') {
    print(`plugd ${VERSION}\n`);
    return EXIT.done;
  }
  const named = APPLETS.find((candidate) => candidate.name === name);
  if (named !== undefined) return (await named.load()).command.run(args);
  const entry = [...COMMANDS, ...HIDDEN_COMMANDS].find((candidate) => candidate.name === name);
  if (entry === undefined) throw noCommand(name);
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  json = own.includes(`--${OPTION.json.long}`);
  const { command } = await entry.load();
  if (own.includes(`--${OPTION.help.long}`) || own.includes(`-${OPTION.help.short}`)) {
    print(help(command, entry.summary));
    return EXIT.done;
  }
  return command.run(args, describeAll);
}

function noCommand(name: string): PlugdError {
  const names = [...COMMANDS, ...APPLETS].map((entry) => entry.name);
  const meant = meantWord(name, [...names, 'help', 'version']);
  const guess = meant === undefined ? '' : `did you mean ${meant}? `;
  return new PlugdError('usage', `no command '${name}'`, { remedy: `${guess}see plugd --help` });
}

function rows(entries: readonly Entry[]): string {
  return optionRows(
    entries.map(({ name, summary }) => [name, summary] as const),
    10,
  )
    .map((line) => `${line}\n`)
    .join('');
}

function overview(): string {
  return `usage: plugd COMMAND [OPTION…]

${rows(COMMANDS)}
kmod's commands, option for option:
${rows(KMOD_COMMANDS)}
dkms, option for option:
${rows(DKMS_COMMANDS)}
plugd help COMMAND tells more; plugd version.
`;
}

/**
 * A `PlugdError` becomes a sentence for people, under --json also an object on standard output (docs/error.schema.json); anything else is
 * a defect of plugd and shows its stack.
 */
function report(error: unknown): number {
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

// An exception in a callback ends plugd as one in a command does.
process.on('uncaughtException', (error) => process.exit(report(error)));
// commands/output.ts writes all output synchronously, so nothing is lost; a hanging insertion must not keep plugd from ending.
main(process.argv).then(
  (status) => process.exit(status),
  (error: unknown) => process.exit(report(error)),
);
