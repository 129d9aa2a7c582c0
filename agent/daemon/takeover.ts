/** Takes the agent's lock over from a coldplug. Never takes it from an agent. */
import { PlugdError } from '../base/error.ts';
import { pause } from '../load/turns.ts';
import { takeAgentLock, type AgentLock } from './agent-lock.ts';
import { ControlClient } from './control/control-client.ts';

/** How often to retry for a lock whose holder has promised to release it, PAUSE_MS apart. */
const MOST_TRIES = 50;
const PAUSE_MS = 20;

/**
 * Takes the agent's lock; a coldplug that holds it to serve the kernel's requests releases it. Errors: those of takeAgentLock().
 * `wait`: how it waits between two tries; pause() when left out.
 */
export async function lockFromColdplug(runDir: string, wait = pause): Promise<AgentLock> {
  for (let tries = 0; ; tries++) {
    try {
      return takeAgentLock(runDir);
    } catch (error) {
      if (!(error instanceof PlugdError) || error.code !== 'busy' || tries === MOST_TRIES) throw error;
      if (tries === 0 && !(await askToYield(runDir))) throw error;
      await wait(PAUSE_MS);
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
