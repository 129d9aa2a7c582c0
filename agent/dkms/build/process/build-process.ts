/** Runs the commands of a build: in bash, in a session of their own, which is empty when they have ended. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { CLOCK, every, type Clock } from '../../../base/clock.ts';
import { memoryOf } from './build-memory.ts';
import { MARK, sweepProcesses } from './process-sweep.ts';

/** One command of a build. */
export interface BuildCommand {
  /** Text for bash to evaluate. */
  readonly command: string;
  /** A program and its arguments that run the command: a sandbox. */
  readonly before?: readonly string[] | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Shell variables that the text may use; they are not exported. */
  readonly variables: Readonly<Record<string, string>>;
  /** A file to source before; '' for none. */
  readonly source: string;
  /** Gets what the command writes. */
  readonly output: number;
  /** Further descriptors that the command inherits, from 3 on. */
  readonly inherited?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Called every three seconds. */
  readonly dot?: (() => void) | undefined;
}

/**
 * How a command ended: with an exit status (128 + n for signal n; 127 when there is no bash), or because the build was aborted. `memory`
 * is the most that was seen of it, in bytes; 0 when it ended before anybody looked.
 */
export type CommandEnding =
  | { readonly kind: 'ended'; readonly status: number; readonly seconds: number; readonly memory: number }
  | { readonly kind: 'aborted'; readonly seconds: number };

/** How often a dot shows that a command still runs. */
const DOT_MS = 3000;
/** How often its memory is looked at: a look takes less than a millisecond. */
const LOOK_MS = 250;

/**
 * Runs a command to its end. Its stdin is /dev/null. When this returns, no process of it is left: what it put into the background, or
 * what an abort left over, was killed.
 */
export async function runBuildCommand(request: BuildCommand): Promise<CommandEnding> {
  const { command, before = [], cwd, env, variables, source, output, inherited = [], signal } = request;
  const clock = request.clock ?? CLOCK;
  const started = clock.now();
  const seconds = () => (clock.now() - started) / 1000;
  const isAborted = () => signal?.aborted ?? false;
  if (isAborted()) return { kind: 'aborted', seconds: 0 };
  const mark = `${process.pid}-${randomBytes(8).toString('hex')}`;
  const bash = ['bash', '--noprofile', '--norc', '-c', script(variables), 'dkms', command, source];
  const [program = 'bash', ...words] = [...before, ...bash, ...Object.values(variables)];
  const child = spawn(program, words, {
    cwd,
    env: { ...env, [MARK]: mark },
    stdio: ['ignore', output, output, ...inherited],
    detached: true,
  });
  const pid = child.pid;
  const sweep = () => (pid === undefined ? 0 : sweepProcesses(pid, mark));
  let memory = 0;
  const look = () => {
    if (pid !== undefined) memory = Math.max(memory, memoryOf(pid));
  };
  const stopDots = request.dot === undefined ? () => {} : every(clock, DOT_MS, request.dot);
  const stopLooks = every(clock, LOOK_MS, look);
  signal?.addEventListener('abort', sweep, { once: true });
  try {
    const status = await new Promise<number>((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', (code, name) => resolve(code ?? 128 + signalNumber(name)));
    });
    sweep();
    return isAborted()
      ? { kind: 'aborted', seconds: seconds() }
      : { kind: 'ended', status, seconds: seconds(), memory };
  } finally {
    signal?.removeEventListener('abort', sweep);
    stopDots();
    stopLooks();
  }
}

/** `$1` is the command, `$2` the file to source, the rest are the values of the variables, in their order. */
function script(variables: Readonly<Record<string, string>>): string {
  const names = Object.keys(variables).map((name, i) => `${name}=\${${i + 3}}`);
  return ['umask 022', ...names, 'test -z "$2" || . "$2"', 'eval "$1"'].join('\n');
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : (constants.signals[name] ?? 0);
}
