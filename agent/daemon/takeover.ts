/** Takes the agent's lock over from a coldplug. Never takes it from an agent. */
import { setTimeout as pause } from 'node:timers/promises';
import { PlugdError } from '../base/error.ts';
import { takeAgentLock, type AgentLock } from './agent-lock.ts';
import { ControlClient } from './control/control-client.ts';

/** So often a lock that was promised is tried for, 20 ms apart. */
const MOST_TRIES = 50;

/** The agent's lock; a coldplug that holds it to serve the kernel's requests gives it up. Errors: those of takeAgentLock(). */
export async function lockFromColdplug(runDir: string): Promise<AgentLock> {
  for (let tries = 0; ; tries++) {
    try {
      return takeAgentLock(runDir);
    } catch (error) {
      if (!(error instanceof PlugdError) || error.code !== 'busy' || tries === MOST_TRIES) throw error;
      if (tries === 0 && !(await askToYield(runDir))) throw error;
      await pause(20);
    }
  }
}

/** False for an agent, which stays. */
async function askToYield(runDir: string): Promise<boolean> {
  try {
    const client = await ControlClient.open(runDir);
    await client.ask('yield', {}).finally(() => client.close());
    return true;
  } catch {
    return false;
  }
}
