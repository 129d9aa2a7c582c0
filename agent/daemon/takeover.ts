/** Takes the agent's lock over from a coldplug. Never takes it from an agent. */
import { setTimeout as pause } from 'node:timers/promises';
import { PlugdError } from '../base/error.ts';
import { takeAgentLock, type AgentLock } from './agent-lock.ts';
import { ControlClient } from './control/control-client.ts';

/** How often to retry for a lock whose holder has promised to release it, 20 ms apart. */
const MOST_TRIES = 50;

/** Takes the agent's lock; a coldplug that holds it to serve the kernel's requests releases it. Errors: those of takeAgentLock(). */
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

/** Returns false for an agent, which keeps the lock. */
async function askToYield(runDir: string): Promise<boolean> {
  try {
    const client = await ControlClient.open(runDir);
    await client.ask('yield', {}).finally(() => client.close());
    return true;
  } catch {
    return false;
  }
}
