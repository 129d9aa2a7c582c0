/** plugd-lite: plugd's commands for boot. The C side evaluates this file and then calls `__start` with argv. */
import { onUncaught } from './globals.ts';
import { COMMANDS, KMOD_COMMANDS, type Entry } from '../../agent/commands/command-table.ts';
import { exitStatus, runProgram } from '../../agent/commands/program.ts';
import { VERSION } from '../../agent/base/version.ts';
import { EXIT } from '../../agent/commands/command.ts';
import { say } from '../../agent/commands/output.ts';
import { liteProcess } from './process.ts';

/** Put in when the program is built: the engine's name and version, and the sum of all that it was built from. */
declare const PLUGD_ENGINE: string;
declare const PLUGD_BUILD: string;

/** In the order of the help; native/lite/build/bundle.mjs leaves the others out. */
const OWN: readonly string[] = JSON.parse(PLUGD_COMMANDS) as readonly string[];
declare const PLUGD_COMMANDS: string;

function own(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ name }) => OWN.includes(name));
}

const PROGRAM = {
  name: 'plugd-lite',
  version: `plugd-lite ${VERSION} (${PLUGD_ENGINE}, build ${PLUGD_BUILD})`,
  commands: own(COMMANDS),
  hidden: [],
  applets: [{ heading: "kmod's commands, option for option", entries: own(KMOD_COMMANDS) }],
  describe: async () =>
    Promise.all(
      own([...COMMANDS, ...KMOD_COMMANDS]).map(async ({ summary, load }) => ({
        summary,
        command: (await load()).command,
      })),
    ),
};

/** What of the engine's own is used up; undefined for every other error. Without memory for an error it throws null. */
function usedUp(error: unknown): string | undefined {
  if (error === null) return 'out of memory';
  return error instanceof Error ? /^(out of memory|stack overflow)$/.exec(error.message)?.[1] : undefined;
}

/** Node names a defect's place in `stack` with its message; this engine's has the place alone. */
function ended(error: unknown): number {
  const what = usedUp(error);
  if (what !== undefined) {
    say(`plugd-lite: ${what}: this is more than the small engine holds; plugd on Node has more\n`);
    return EXIT.system;
  }
  if (error instanceof Error) error.stack = `${error.name}: ${error.message}\n${error.stack ?? ''}`;
  return exitStatus(error);
}

/** Runs the command that argv names and ends the program. */
function start(argv: readonly string[]): void {
  liteProcess.begin(argv);
  runProgram(PROGRAM, liteProcess.argv).then(
    (status) => liteProcess.exit(status),
    (error: unknown) => liteProcess.exit(ended(error)),
  );
}

/** What is in the heap copy from the beginning: what is called often, and what a boot waits for. The rest is evaluated when it is called. */
const OFTEN = own([...KMOD_COMMANDS, ...COMMANDS.filter(({ name }) => name === 'lookup' || name === 'coldplug')]);

/** At build time: evaluates commands, so that the copy of the heap has them, and runs lines for what they make on the way. */
async function warm(lines: ReadonlyArray<readonly string[]>): Promise<void> {
  const { exit } = liteProcess;
  for (const { load } of OFTEN) await load();
  liteProcess.exit = (() => undefined) as unknown as typeof exit;
  for (const line of lines) {
    // It remembers when it began. What it uses is seen in a child.
    if (line[1] === 'coldplug') continue;
    liteProcess.begin(line);
    await runProgram(PROGRAM, liteProcess.argv).catch(() => 0);
  }
  liteProcess.exit = exit;
}

onUncaught((error) => liteProcess.exit(ended(error)));
Object.assign(globalThis, { __start: start, __warm: warm });
