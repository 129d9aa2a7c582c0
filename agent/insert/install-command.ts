/** Runs `install` and `remove` commands of modprobe.d. Never kills one. */
import { errnoOf, errnoText } from '../base/errno.ts';
import { fromMachineText } from '../base/machine-text.ts';
import type { ModuleName } from '../base/names.ts';

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
 * cannot mix into data. A command ended by a signal has failed (kmod calls that success; see docs/differences.md).
 */
export async function runCommand(
  text: string,
  module: ModuleName,
  { inherit = false, env = {} }: CommandSurroundings = {},
): Promise<CommandEnd> {
  const { spawn } = await import('node:child_process');
  const script = fromMachineText(text);
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', script], {
      stdio: inherit ? 'inherit' : ['ignore', 2, 2],
      env: { ...process.env, ...env, MODPROBE_MODULE: module },
    });
    child.once('error', (error) => {
      const errno = errnoOf(error, undefined);
      const why = errno === undefined ? error.message : errnoText(errno);
      resolve({ kind: 'command-failed', code: undefined, why: `/bin/sh could not be started: ${why}` });
    });
    child.once('exit', (code, signal) => {
      if (code === 0) resolve({ kind: 'command' });
      else if (code === null) resolve({ kind: 'command-failed', code: undefined, why: `ended by ${signal}` });
      else resolve({ kind: 'command-failed', code, why: `exit status ${code}` });
    });
  });
}
