/** An agent that is killed in the middle of its coldplug, and the next one that goes on. */
import type { Random } from '../../fixtures/random.ts';
import { GuestAgent, proberFiles, probe } from './agent.ts';
import { kitchenSink } from '../machine/devices.ts';
import type { Image } from '../machine/image.ts';
import { boot, type Machine } from '../machine/machine.ts';

/** What an idle agent may take, KiB; 45 MiB are Node with the bundle, before it reads anything. */
export const IDLE_KIB = 58 * 1024;

/** When an agent is killed: as soon as so many modules are loaded, and so many microseconds later. */
export interface Kill {
  readonly modules: number;
  readonly microseconds: number;
}

/** How a round ended. */
export interface ChaosRound {
  /** For each agent that was killed: its age, and what was loaded then. */
  readonly killed: ReadonlyArray<{ readonly ms: number; readonly loaded: number }>;
  readonly modules: readonly string[];
  /** Modules that the last agent says it inserted. */
  readonly inserted: readonly string[];
}

/** What is loaded when no more comes. */
async function settled(machine: Machine): Promise<readonly string[]> {
  await machine.run('sleep', ['2']);
  return machine.modules();
}

/** A coldplug that nobody disturbs: its modules, and what the agent takes a while afterwards, KiB. */
export async function undisturbed(image: Image): Promise<{ modules: readonly string[]; rss: number }> {
  await using machine = await boot(image, { devices: kitchenSink() });
  const agent = await GuestAgent.start(machine);
  // V8 gives back what the coldplug needed some ten seconds later, on a slow host in several steps.
  let rss = Infinity;
  for (let tries = 4; tries > 0 && rss > IDLE_KIB; tries--) {
    await machine.run('sleep', ['15']);
    ({ rss } = await agent.figures());
  }
  const modules = await machine.modules();
  await agent.stop();
  return { modules, rss };
}

/**
 * The kills of one round: of `count` agents one after the other, spread over a coldplug of `modules` modules. An agent begins to load
 * after a second or two of the emulated machine; where nothing more is loaded it is killed somewhere in its start.
 */
export function killsOf(random: Random, count: number, modules: number): readonly Kill[] {
  const moments = Array.from({ length: count }, () => random.below(modules)).toSorted((a, b) => a - b);
  return moments.map((moment, i) => ({
    modules: moment,
    microseconds: moment === 0 || moment === moments[i - 1] ? random.below(2_000_000) : random.below(30_000),
  }));
}

/** In a fresh machine: agents killed with SIGKILL one after the other, then one that may end its work. */
export async function chaosRound(root: string, image: Image, kills: readonly Kill[]): Promise<ChaosRound> {
  await using machine = await boot(image, { devices: kitchenSink(), files: await proberFiles(root) });
  const killed = [];
  for (const { modules, microseconds } of kills) {
    const [end] = await probe(machine, 'kill', String(modules), String(microseconds), 'plugd', 'agent');
    killed.push({ ms: end?.ms ?? 0, loaded: end?.number ?? 0 });
  }
  const agent = await GuestAgent.start(machine);
  const modules = await settled(machine);
  const status = await agent.stop();
  if (status !== 0) throw new Error(`the last agent ended with status ${status}`);
  const inserted = agent.lines.filter(({ event }) => event === 'inserted').map(({ module }) => module ?? '');
  return { killed, modules, inserted };
}

/** `2.4 s with 15 loaded, then 5.4 s with 37 loaded`. */
export function killsText({ killed }: ChaosRound): string {
  return killed.map(({ ms, loaded }) => `${(ms / 1000).toFixed(1)} s with ${loaded} loaded`).join(', then ');
}
