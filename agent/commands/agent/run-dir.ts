/** The option --run-dir, and the connection to the agent. */
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
