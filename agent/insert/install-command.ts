/** Runs `install` and `remove` commands of modprobe.d. Never kills one. */
import type { spawn as Spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { errnoOf, errnoText } from '../base/errno.ts';
import { fromMachineText } from '../base/machine-text.ts';
import type { ModuleName } from '../base/names.ts';
import { canWait, writeNowTo, type WriteNow } from '../base/write-now.ts';

/** How an `install` or `remove` command ended. */
export type CommandEnd =
  | { readonly kind: 'command' }
  /** `code` is the exit status, undefined when a signal ended it or it could not be started. */
  | { readonly kind: 'command-failed'; readonly code: number | undefined; readonly why: string };

/** What a command gets from plugd. */
export interface CommandSurroundings {
  /** It reads and writes where plugd does, as under modprobe. */
  readonly inherit?: boolean;
  /** Variables beside plugd's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs the command of an `install` or `remove` line with `/bin/sh -c` and MODPROBE_MODULE in its environment, as
 * modprobe does (modprobe.d(5)). `text` is machine text; its output goes where plugd's standard error goes, so that it
 * cannot mix into data. If that has a reader, which may be stuck, plugd hands the output on and drops what the reader does not take: a
 * command that waits for a log would keep its module out. What it left in the background then writes there through `cat`, also after
 * plugd's end. A command ended by a signal has failed (kmod calls that success; see docs/differences.md).
 */
export async function runCommand(
  text: string,
  module: ModuleName,
  { inherit = false, env = {} }: CommandSurroundings = {},
): Promise<CommandEnd> {
  const { spawn } = await import('node:child_process');
  const script = fromMachineText(text);
  const output = canWait(2) ? 'pipe' : 2;
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', script], {
      stdio: inherit ? 'inherit' : ['ignore', output, output],
      env: { ...process.env, ...env, MODPROBE_MODULE: module },
    });
    const outputs = [child.stdout, child.stderr].flatMap((each) => (each === null ? [] : [each as Socket]));
    for (const each of outputs) handOn(each);
    child.once('error', (error) => {
      const errno = errnoOf(error, undefined);
      const why = errno === undefined ? error.message : errnoText(errno);
      resolve({ kind: 'command-failed', code: undefined, why: `/bin/sh could not be started: ${why}` });
    });
    child.once('exit', (code, signal) =>
      inTwoTurns(() => {
        for (const each of outputs) if (!each.readableEnded) leave(spawn, each);
        if (code === 0) resolve({ kind: 'command' });
        else if (code === null) resolve({ kind: 'command-failed', code: undefined, why: `ended by ${signal}` });
        else resolve({ kind: 'command-failed', code, why: `exit status ${code}` });
      }),
    );
  });
}

let writeNow: WriteNow | undefined;

/** Hands on what comes from a command. */
function handOn(from: Socket): void {
  writeNow ??= writeNowTo(2);
  from.on('data', writeNow);
  from.on('error', () => {});
  from.unref();
}

/**
 * Hands the pipe to a program of its own. The command has ended, but something that it started still holds the pipe, and writing to it
 * after plugd's end would kill that. `cat` may wait for the reader of plugd's standard error, as under modprobe.
 */
function leave(spawn: typeof Spawn, from: Socket): void {
  from.pause();
  const relay = spawn('cat', [], { stdio: [from, 2, 2], detached: true });
  relay.once('error', () => {});
  relay.unref();
  from.destroy();
}

/** Then what was in its pipes at the end has been read. */
function inTwoTurns(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
