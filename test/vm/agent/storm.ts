/** Synthetic uevents, written as fast as the machine can (`add` into the `uevent` files of some devices). */
import { probe, type GuestAgent } from './agent.ts';
import type { Machine } from '../machine/machine.ts';

/** How an agent stood a storm. */
export interface StormRun {
  readonly sent: number;
  /** From the first to the last write, ms. */
  readonly sentMs: number;
  /** From then until the agent had settled, ms. */
  readonly behindMs: number;
  readonly received: number;
  /** Lost by overruns of the socket's buffer, by the kernel's count. */
  readonly lost: number;
  readonly overruns: number;
  readonly rescans: number;
  /** The most memory that the agent ever took, KiB. */
  readonly peak: number;
  /** What it takes afterwards, KiB. */
  readonly rss: number;
}

/** Devices without a driver of their own: memory and terminals. */
export async function stormTargets(machine: Machine): Promise<readonly string[]> {
  const list = await machine.output('sh', ['-c', 'ls -d /sys/class/mem/*/uevent /sys/class/tty/tty[0-9]*/uevent']);
  return list.trimEnd().split('\n');
}

/** Sends `count` uevents and waits until the agent has settled; `meanwhile` begins when they do. */
export async function storm(
  machine: Machine,
  agent: GuestAgent,
  count: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<StormRun> {
  const before = (await agent.status()).uevents;
  const targets = await stormTargets(machine);
  const [[sent]] = await Promise.all([probe(machine, 'storm', String(count), ...targets), meanwhile()]);
  const began = performance.now();
  const settled = await machine.run('plugd', ['settle', '--timeout', '580', '-q'], { timeout: 600_000 });
  if (settled.status !== 0) throw new Error(`it does not settle: ${settled.stderr}`);
  const behindMs = performance.now() - began;
  const { uevents } = await agent.status();
  const { peak, rss } = await agent.figures();
  return {
    sent: count,
    sentMs: sent?.ms ?? 0,
    behindMs,
    received: uevents.received - before.received,
    lost: uevents.overrunLost - before.overrunLost,
    overruns: uevents.overruns - before.overruns,
    rescans: uevents.resyncs - before.resyncs,
    peak,
    rss,
  };
}

/** `200000 uevents in 3.9 s: 200012 received, 0 lost in 0 overruns, 0 rescans; settled 41.0 s later; at most 96.0 MiB, then 70.1`. */
export function stormText(run: StormRun): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const mib = (kib: number) => (kib / 1024).toFixed(1);
  return [
    `${run.sent} uevents in ${seconds(run.sentMs)}: ${run.received} received, ${run.lost} lost in ${run.overruns} overruns, ${run.rescans} rescans`,
    `settled ${seconds(run.behindMs)} later`,
    `at most ${mib(run.peak)} MiB, then ${mib(run.rss)}`,
  ].join('; ');
}
