/** The option --run-dir, and the connection to the agent. */
import { CLOCK, type Clock } from '../../base/clock.ts';
import { PlugdError } from '../../base/error.ts';
import type { ControlClient } from '../../daemon/control/control-client.ts';
import { RUN_DIR } from '../../daemon/control/run-dir.ts';
import type { Arguments, Option } from '../command.ts';

/** The directory of the agent's socket and lock; every command that talks to it takes this option. */
export const RUN_DIR_OPTION: Option = {
  long: 'run-dir',
  value: 'DIR',
  help: `the agent's run directory (default ${RUN_DIR})`,
};

/** A connection to the agent that the command line names. Errors: `unsupported` when none runs, `no-permission`. */
export async function openAgent(parsed: Arguments): Promise<ControlClient> {
  // Sockets take time to load, and not every command with this option needs them.
  const client = await import('../../daemon/control/control-client.ts');
  return client.ControlClient.open(parsed.value(RUN_DIR_OPTION) ?? RUN_DIR);
}

/** Between two looks for an agent that is starting. */
const LOOK_MS = 50;

/**
 * What `work` answers about the agent; where none answers, again and again for `ms`, since one may be starting:
 *
 *     await withAgent(parsed, 5000, (agent) => agent.ask('settle', {}))
 *
 * Errors: those of openAgent() and of `work`; `unsupported` only after that time.
 */
export async function withAgent<T>(
  parsed: Arguments,
  ms: number,
  work: (agent: ControlClient) => Promise<T>,
  clock: Clock = CLOCK,
): Promise<T> {
  const until = clock.now() + ms;
  for (;;) {
    try {
      const agent = await openAgent(parsed);
      return await work(agent).finally(() => agent.close());
    } catch (error) {
      // `unsupported` is also what a coldplug says that an agent will take over from.
      if (!(error instanceof PlugdError) || error.code !== 'unsupported' || clock.now() >= until) throw error;
    }
    await new Promise<void>((resolve) => {
      clock.after(LOOK_MS, resolve);
    });
  }
}
