/** node:child_process for plugd-lite: one program at a time, without a shell. */
import { fromMachineText, toMachineText } from '../../../agent/base/machine-text.ts';
import { host, type HostStdio } from '../host.ts';
import { Bytes } from './bytes.ts';
import { systemError } from './error.ts';
import { Emitter } from './events.ts';
import { signalName } from '../signals.ts';

type Environment = Readonly<Record<string, string | undefined>>;

function pairsOf(environment: Environment): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** Wait status to (exit status, signal), as Node tells them. */
function ending(status: number): readonly [number | null, string | null] {
  const signal = status & 127;
  return signal === 0 ? [(status >> 8) & 255, null] : [null, signalName(signal)];
}

/** A program that was started; emits `error` or `exit`. Nothing of it comes through pipes. */
export class Child extends Emitter {
  readonly stdout = null;
  readonly stderr = null;
}

/** Starts a program. Where Node would read its output through a pipe, it gets this program's standard error. */
export function spawn(
  file: string,
  words: readonly string[],
  options: { readonly stdio: 'inherit' | ReadonlyArray<HostStdio | 'pipe'>; readonly env: Environment },
): Child {
  const child = new Child();
  const stdio = options.stdio === 'inherit' ? [0, 1, 2] : options.stdio.map((each) => (each === 'pipe' ? 2 : each));
  const pid = host.spawn(file, words.map(native), pairsOf(options.env), stdio, (status) => {
    child.emit('exit', ...ending(status));
  });
  if (pid < 0) queueMicrotask(() => child.emit('error', systemError(pid, `spawn ${file}`, file)));
  return child;
}

/** Text that goes out as UTF-8, whatever bytes it came from. */
function native(word: string): string {
  return fromMachineText(toMachineText(word));
}

/** How a filter ended, as Node tells it. */
export interface Filtered {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Bytes;
  readonly error?: Error;
}

/** Runs a filter to its end: `input` goes in, at most `maxBuffer` bytes come out. */
export function spawnSync(
  file: string,
  words: readonly string[],
  options: { readonly input: Uint8Array; readonly maxBuffer: number },
): Filtered {
  const run = host.filter(file, words, pairsOf(process.env), options.input, options.maxBuffer);
  if (typeof run === 'number') {
    return { status: null, signal: null, stdout: Bytes.alloc(0), error: systemError(run, `spawnSync ${file}`, file) };
  }
  const [output, wait, problem] = run;
  const [status, signal] = ending(wait);
  const error = problem < 0 ? { error: systemError(problem, `spawnSync ${file}`, file) } : {};
  return { status, signal, stdout: new Bytes(output), ...error };
}
