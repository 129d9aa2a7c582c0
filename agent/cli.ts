/** From argv to a command and its exit status. No logic of its own: commands/ does the work. */
import { EXIT, help, OPTION, type Command } from './commands/command.ts';
import { optionRows } from './commands/help.ts';
import { print, printJson, say } from './commands/output.ts';
import { PlugdError } from './base/error.ts';
import { meantWord } from './base/spelling.ts';
import { VERSION } from './base/version.ts';

interface Entry {
  readonly name: string;
  /** A phrase: the overview shows it, and the command's own help as a sentence. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. Each is loaded only when it is called. */
const COMMANDS: readonly Entry[] = [
  {
    name: 'agent',
    summary: 'coldplug, then serve hotplug until told to end',
    load: async () => import('./commands/agent/agent.ts'),
  },
  {
    name: 'coldplug',
    summary: 'load drivers for all devices, and for those that appear meanwhile',
    load: async () => import('./commands/agent/coldplug.ts'),
  },
  {
    name: 'load',
    summary: 'load what the lists for boot name: modules-load.d and others',
    load: async () => import('./commands/agent/load.ts'),
  },
  {
    name: 'status',
    summary: 'show what the agent is doing, what it waits for and what failed',
    load: async () => import('./commands/agent/status.ts'),
  },
  {
    name: 'settle',
    summary: 'wait until the agent has nothing more to do',
    load: async () => import('./commands/agent/settle.ts'),
  },
  {
    name: 'reload',
    summary: 'make the agent read its files again',
    load: async () => import('./commands/agent/reload.ts'),
  },
  {
    name: 'trigger',
    summary: 'ask the kernel to announce devices again',
    load: async () => import('./commands/agent/trigger.ts'),
  },
  {
    name: 'monitor',
    summary: "show uevents and plugd's decisions as they come",
    load: async () => import('./commands/agent/monitor.ts'),
  },
  {
    name: 'log',
    summary: 'show each module loaded since the agent started, and who asked',
    load: async () => import('./commands/agent/log.ts'),
  },
  {
    name: 'test',
    summary: 'show what would be loaded for a device, and what would go wrong',
    load: async () => import('./commands/diagnostics/test.ts'),
  },
  {
    name: 'devices',
    summary: 'list all devices with their drivers and modules',
    load: async () => import('./commands/diagnostics/devices.ts'),
  },
  {
    name: 'why',
    summary: 'show why a module is loaded or not, and every way in',
    load: async () => import('./commands/diagnostics/why.ts'),
  },
  {
    name: 'modules',
    summary: 'list the modules of the tree with their state and rules',
    load: async () => import('./commands/diagnostics/modules.ts'),
  },
  {
    name: 'doctor',
    summary: 'find what keeps drivers from being loaded, and what to do about it',
    load: async () => import('./commands/diagnostics/doctor.ts'),
  },
  {
    name: 'lookup',
    summary: 'print which modules a module name, alias or modalias stands for',
    load: async () => import('./commands/diagnostics/lookup.ts'),
  },
  {
    name: 'sign',
    summary: 'sign module files with a key',
    load: async () => import('./commands/trust/sign.ts'),
  },
  {
    name: 'verify',
    summary: "verify modules' signatures, and say whether their keys are trusted",
    load: async () => import('./commands/trust/verify.ts'),
  },
  {
    name: 'strip-signature',
    summary: 'take the signatures off module files',
    load: async () => import('./commands/trust/strip-signature.ts'),
  },
];

/** Commands that keep kmod's exit statuses and messages, and also run under their own names as argv[0]. */
const KMOD_COMMANDS: readonly Entry[] = [
  {
    name: 'modprobe',
    summary: 'insert modules with what they need, or remove them',
    load: async () => import('./commands/kmod/modprobe.ts'),
  },
  {
    name: 'insmod',
    summary: 'insert one module file',
    load: async () => import('./commands/kmod/insmod.ts'),
  },
  {
    name: 'rmmod',
    summary: 'remove modules',
    load: async () => import('./commands/kmod/rmmod.ts'),
  },
  {
    name: 'lsmod',
    summary: 'show the loaded modules',
    load: async () => import('./commands/kmod/lsmod.ts'),
  },
  {
    name: 'modinfo',
    summary: 'show information about modules',
    load: async () => import('./commands/kmod/modinfo.ts'),
  },
  {
    name: 'depmod',
    summary: "build a module tree's indexes",
    load: async () => import('./commands/kmod/depmod.ts'),
  },
];

const STATUS_OF: Readonly<Partial<Record<PlugdError['code'], number>>> = {
  usage: EXIT.usage,
  configuration: EXIT.configuration,
  system: EXIT.system,
};

/** The command prints JSON: its errors are JSON, too. */
let json = false;

async function main(argv: readonly string[]): Promise<number> {
  const called = (argv[1] ?? '').replace(/^.*\//, '');
  const applet = KMOD_COMMANDS.find((entry) => entry.name === called);
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
  const kmod = KMOD_COMMANDS.find((entry) => entry.name === name);
  if (kmod !== undefined) return (await kmod.load()).command.run(args);
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  if (entry === undefined) throw noCommand(name);
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  json = own.includes(`--${OPTION.json.long}`);
  const { command } = await entry.load();
  if (own.includes(`--${OPTION.help.long}`) || own.includes(`-${OPTION.help.short}`)) {
    print(help(command, entry.summary));
    return EXIT.done;
  }
  return command.run(args);
}

function noCommand(name: string): PlugdError {
  const names = [...COMMANDS, ...KMOD_COMMANDS].map((entry) => entry.name);
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
  say(`plugd: ${error.message}\n${error.remedy === undefined ? '' : `plugd: ${error.remedy}\n`}`);
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
