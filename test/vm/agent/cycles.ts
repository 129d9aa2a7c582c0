/**
 * Devices plugged in, pulled out and their drivers unloaded, again and again: what a machine sees in days, in minutes. Memory
 * and descriptors of the agent must stay what they were.
 */
import { median } from '../../bench/statistics.ts';
import type { GuestAgent } from './agent.ts';
import type { Machine } from '../machine/machine.ts';

/** What is plugged in and out; each driver can be unloaded when its device is gone. The machine has slots, and USB as `usb`. */
const PARTS: ReadonlyArray<{
  readonly driver: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Inserted for it, and unloaded afterwards: the last one first. */
  readonly modules: readonly string[];
}> = [
  { driver: 'virtio-rng-pci', properties: { bus: 'slot14' }, modules: ['virtio_rng'] },
  { driver: 'usb-ccid', properties: { bus: 'usb.0' }, modules: [] },
  { driver: 'usb-mouse', properties: { bus: 'usb.0' }, modules: ['hid', 'usbhid', 'hid_generic'] },
  { driver: 'pvpanic-pci', properties: { bus: 'slot15' }, modules: ['pvpanic_pci'] },
  { driver: 'usb-wacom-tablet', properties: { bus: 'usb.0' }, modules: ['wacom'] },
  { driver: 'i6300esb', properties: { bus: 'slot13' }, modules: ['i6300esb'] },
];

/** What the agent took at one moment. */
interface Sample {
  /** KiB. */
  readonly rss: number;
  readonly descriptors: number;
}

/** How the cycles went. */
export interface CyclesRun {
  readonly cycles: number;
  readonly plugged: number;
  readonly uevents: number;
  /** Taken now and then between two cycles, oldest first. */
  readonly samples: readonly Sample[];
  /** From each uevent to finit_module of the first module it brought, ms. */
  readonly latencies: readonly number[];
}

async function settle(machine: Machine): Promise<void> {
  const settled = await machine.run('plugd', ['settle', '--timeout', '60', '-q']);
  if (settled.status !== 0) throw new Error(`it does not settle: ${settled.stderr}`);
}

/** Goes on for so many seconds, and through one more whole cycle. Nothing else may use their drivers; a device that gets none is an error. */
export async function hotplugCycles(machine: Machine, agent: GuestAgent, seconds: number): Promise<CyclesRun> {
  const { received } = (await agent.status()).uevents;
  const gone = PARTS.flatMap(({ modules }) => modules).toReversed();
  await machine.run('rmmod', gone);
  await settle(machine);
  const samples: Sample[] = [];
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1000;
  let cycles = 0;
  let plugged = 0;
  let sampled = 0;
  while (performance.now() < until) {
    const from = agent.lines.length;
    for (const { driver, properties, modules } of PARTS) {
      await machine.qmp.deviceAdd(driver, `cycle-${driver}`, properties);
      plugged++;
      for (const module of modules) {
        const line = await agent.line('inserted', (one) => one.module === module, { from });
        if (module === modules[0] && line.waitMs !== undefined) latencies.push(line.waitMs);
      }
    }
    for (const { driver } of PARTS) await machine.qmp.deviceDel(`cycle-${driver}`);
    await machine.output('rmmod', gone);
    cycles++;
    // Uevents of the removals have been heard, or the next insertion would be of what still seems to be loaded.
    await settle(machine);
    if (performance.now() - sampled < (seconds * 1000) / 40 && samples.length > 0) continue;
    sampled = performance.now();
    samples.push(await agent.figures());
  }
  return { cycles, plugged, uevents: (await agent.status()).uevents.received - received, samples, latencies };
}

/** How much more the agent takes at the end than before: medians of the last and of the second quarter of the samples. */
export function growth({ samples }: CyclesRun): { readonly rss: number; readonly descriptors: number } {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const middle = samples.slice(quarter, 2 * quarter);
  const last = samples.slice(-quarter);
  const of = (some: readonly Sample[], what: keyof Sample) => median(some.map((sample) => sample[what]));
  return {
    rss: of(last, 'rss') - of(middle, 'rss'),
    descriptors: of(last, 'descriptors') - of(middle, 'descriptors'),
  };
}

/** `12 cycles, 72 devices, 1,304 uevents; 51.2 to 52.0 MiB, 22 descriptors; first insertion after 9.1 ms (median of 60), 31.0 at worst`. */
export function cyclesText(run: CyclesRun): string {
  const rss = run.samples.map((sample) => sample.rss / 1024);
  const descriptors = [...new Set(run.samples.map((sample) => sample.descriptors))].join(', ');
  return [
    `${run.cycles} cycles, ${run.plugged} devices, ${run.uevents} uevents`,
    `${Math.min(...rss).toFixed(1)} to ${Math.max(...rss).toFixed(1)} MiB, ${descriptors} descriptors`,
    `to finit_module ${median(run.latencies).toFixed(1)} ms (median of ${run.latencies.length}), ${Math.max(...run.latencies).toFixed(1)} at worst`,
  ].join('; ');
}
