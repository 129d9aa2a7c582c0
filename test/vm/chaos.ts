/** An agent that is killed in the middle of its coldplug, and the next one that goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestAgent } from './agent.ts';
import { kitchenSink } from './devices.ts';
import type { Image } from './image.ts';
import { boot, type Machine } from './machine.ts';

/** How a round ended. */
export interface ChaosRound {
  /** Milliseconds after which each agent was killed. */
  readonly killedAfter: readonly number[];
  /** Modules that were loaded at each kill. */
  readonly loadedThen: readonly number[];
  readonly modules: readonly string[];
}

/** What is loaded when no more comes. */
async function settled(machine: Machine): Promise<readonly string[]> {
  await machine.run('sleep', ['3']);
  return machine.modules();
}

/** A coldplug that nobody disturbs: the modules, and how long it takes. */
export async function undisturbed(image: Image): Promise<{ modules: readonly string[]; ms: number }> {
  await using machine = await boot(image, { devices: kitchenSink() });
  const began = performance.now();
  const agent = await GuestAgent.start(machine);
  const ms = performance.now() - began;
  const modules = await settled(machine);
  await agent.stop();
  return { modules, ms };
}

/** In a fresh machine: agents killed with SIGKILL after the shares of `ms` given, one after the other, then one that may end its work. */
export async function chaosRound(image: Image, ms: number, shares: readonly number[]): Promise<ChaosRound> {
  await using machine = await boot(image, { devices: kitchenSink() });
  const killedAfter: number[] = [];
  const loadedThen: number[] = [];
  for (const share of shares) {
    const program = machine.start('plugd', ['agent'], { timeout: 600_000, onOutput: () => {} });
    const wait = Math.round(share * ms);
    await sleep(wait);
    await program.kill(9);
    await program.ended;
    killedAfter.push(wait);
    loadedThen.push((await machine.modules()).length);
  }
  const agent = await GuestAgent.start(machine);
  const modules = await settled(machine);
  const status = await agent.stop();
  if (status !== 0) throw new Error(`the last agent ended with status ${status}`);
  return { killedAfter, loadedThen, modules };
}

/** A seeded dice: numbers from 0 to 1. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}
