import { ControlClient, RUN_DIR } from '../../daemon/control-client.ts';
import type { Arguments, Option } from '../command.ts';

/** Where the agent's socket and lock are; every command that talks to it takes this option. */
export const RUN_DIR_OPTION: Option = {
  long: 'run-dir',
  value: 'DIR',
  help: `the agent's run directory (default ${RUN_DIR})`,
};

/** A connection to the agent that the command line names. Errors: `unsupported` when none runs, `no-permission`. */
export async function openAgent(parsed: Arguments): Promise<ControlClient> {
  return ControlClient.open(parsed.value(RUN_DIR_OPTION) ?? RUN_DIR);
}
