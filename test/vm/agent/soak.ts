/**
 * What the agent must stand for longer than `npm test` may take, in the virtual machine:
 *
 *     npm run soak:agent -- [--minutes N] [--storm N] [--rounds N] [--seed N]
 *
 * Storms of N synthetic uevents (200,000), one into udevd's buffer and one into a small one, each with a real hotplug behind it; N
 * minutes of hotplug cycles (10), which is more of it than most machines see in a day; N rounds of kill -9 in the middle of
 * coldplug (20). 0 leaves a part out. Prints figures; exits with 1 when a promise is broken.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../fixtures/random.ts';
import { GuestAgent, proberFiles } from './agent.ts';
import { chaosRound, killsOf, killsText, undisturbed } from './chaos.ts';
import { cyclesText, growth, hotplugCycles } from './cycles.ts';
import { hotplugSlots, usbController } from '../machine/devices.ts';
import { machineImage, type Image } from '../machine/image.ts';
import { boot } from '../machine/machine.ts';
import { storm, stormText } from './storm.ts';

const root = join(import.meta.dirname, '../../../..');
const HOUR = 3_600_000;
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    storm: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '20' },
  },
});
let broken = 0;

function check(holds: boolean, promise: string): void {
  if (!holds) broken++;
  console.log(`${holds ? 'ok    ' : 'BROKEN'} ${promise}`);
}

async function storms(image: Image, count: number): Promise<void> {
  const files = await proberFiles(root);
  await using machine = await boot(image, { devices: hotplugSlots(2), files, lifetime: HOUR });
  for (const [slot, args] of [[], ['--receive-buffer', '8192']].entries()) {
    const agent = await GuestAgent.start(machine, args);
    const plug = async () => machine.qmp.deviceAdd('virtio-rng-pci', `rng${slot}`, { bus: `slot${slot}` });
    // Into the small buffer the device comes in the middle of the storm, where hardly any uevent gets through.
    const run = await storm(machine, agent, count, slot === 0 ? undefined : plug);
    console.log(`storm ${args.join(' ')}: ${stormText(run)}`);
    check(run.received + run.lost >= count, 'every uevent came or was counted as lost');
    check(slot === 0 ? run.lost === 0 : run.overruns > 0 && run.rescans > 0, 'what was lost was noticed and answered');
    check(run.peak <= 128 * 1024, 'at most 128 MiB');
    if (slot === 0) await plug();
    check((await agent.loaded(['virtio_rng'], 120)).length === 0, 'hotplug is served');
    check((await agent.stop()) === 0, 'it ends when asked to');
    await machine.qmp.deviceDel(`rng${slot}`);
    await machine.run('modprobe', ['-r', 'virtio_rng']);
  }
}

async function cycles(image: Image, minutes: number): Promise<void> {
  await using machine = await boot(image, { devices: [...hotplugSlots(16), ...usbController()], lifetime: HOUR * 24 });
  const agent = await GuestAgent.start(machine);
  const run = await hotplugCycles(machine, agent, minutes * 60);
  const more = growth(run);
  console.log(`cycles: ${cyclesText(run)}; ${more.rss} KiB more at the end`);
  check(more.rss <= 2048, 'memory is flat');
  check(more.descriptors === 0, 'descriptors are as many as before');
  check((await agent.stop()) === 0, 'it ends when asked to');
}

async function chaos(image: Image, rounds: number, seed: number): Promise<void> {
  const { modules } = await undisturbed(image);
  const random = new Random(seed);
  for (let round = 1; round <= rounds; round++) {
    const ended = await chaosRound(root, image, killsOf(random, 1 + random.below(3), modules.length));
    const same = JSON.stringify(ended.modules) === JSON.stringify(modules);
    check(same, `chaos ${round}: killed after ${killsText(ended)}; the last one inserted ${ended.inserted.length}`);
    check(new Set(ended.inserted).size === ended.inserted.length, 'none twice');
    if (same) continue;
    console.log(`lacking ${modules.filter((module) => !ended.modules.includes(module)).join(' ')}`);
    console.log(`beyond ${ended.modules.filter((module) => !modules.includes(module)).join(' ')}`);
  }
}

const image = await machineImage();
if (image.kind === 'missing') {
  console.error(image.sentence);
  process.exit(71);
}
const [minutes, count, rounds] = [Number(values.minutes), Number(values.storm), Number(values.rounds)];
if (minutes > 0) await cycles(image, minutes);
if (count > 0) await storms(image, count);
if (rounds > 0) await chaos(image, rounds, Number(values.seed));
process.exit(broken > 0 ? 1 : 0);
