/**
 * Coldplug's wall time, from exec to the end, in a fresh machine each: systemd-udevd, plugd, plugd-lite where it can
 * be had, and a bare inserter that is given the list of modules, in turn: A B C A B C …
 *
 *     npm run bench:coldplug [-- --rounds N] [--threads N] [--tries N] [--fixed-addresses]
 *
 * Programs start at random addresses, as on real machines. The emulator finds what it translated by address, so it translates
 * udevd's helper programs once more at each start. With --fixed-addresses it does not, as in the guests of the tests.
 *
 * On two emulated processors. Ratios are those of one round, so that a machine that is slow for a while cancels out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runProgram } from '../fixtures/commands.ts';
import { plugdLite } from '../native/plugd-lite.ts';
import { kitchenSink } from '../vm/machine/devices.ts';
import type { GuestResult } from '../vm/machine/guest-port.ts';
import { machineImage, type GuestFiles, type Image } from '../vm/machine/image.ts';
import { boot, type Machine } from '../vm/machine/machine.ts';
import { insertionList } from '../vm/tree-order.ts';
import { coldplugByUdevd } from '../vm/udevd.ts';
import { watchOthers } from './host-load.ts';
import { median, ratios, ratioText } from './statistics.ts';

interface Subject {
  readonly name: string;
  readonly run: (machine: Machine) => Promise<GuestResult>;
  readonly wall: number[];
  /** When its first insertion began, ms after exec, where it says so. */
  readonly first: number[];
  modules: readonly string[];
}

function subject(name: string, run: (machine: Machine) => Promise<GuestResult>): Subject {
  return { name, run, wall: [], first: [], modules: [] };
}

/** plugd's run by one of its programs. */
function coldplugBy(name: string, program: string): Subject {
  return subject(name, (machine) => machine.run(program, ['coldplug'], { timeout: 300_000 }));
}

/** From the summary of plugd's run; undefined for what the others print. */
function firstInsertMs({ stdout }: GuestResult): number | undefined {
  const [, figure, unit] = /, first at ([\d.]+) (m?s)/.exec(stdout) ?? [];
  return figure === undefined ? undefined : Number(figure) * (unit === 's' ? 1000 : 1);
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '4' },
    tries: { type: 'string', default: '6' },
    'fixed-addresses': { type: 'boolean', default: false },
  },
});
const root = join(import.meta.dirname, '../../..');

/** Above this share of all processors used by others a run is done again, so many times at most. */
const DISTURBED = 0.06;
const TRIES = Number(values.tries);

/** One run in a fresh machine. */
async function measure(image: Image, files: GuestFiles, { name, run }: Subject, list: string) {
  // A moment of peace first, if one can be had.
  for (let waited = 0; waited < 30; waited++) {
    const others = watchOthers();
    await sleep(1000);
    if (others() < DISTURBED) break;
  }
  await using machine = await boot(image, { devices: kitchenSink(), files });
  // Nothing of the three is run beforehand: the emulator keeps what it translated, which would favour one of them.
  const listed = await machine.shell('cat > /tmp/list', { input: list });
  if (!values['fixed-addresses']) await machine.shell('echo 2 > /proc/sys/kernel/randomize_va_space');
  if (listed.status !== 0) throw new Error(`cannot write the list: ${listed.stderr}`);
  // The kernel's own work in the background after the start is not part of any of them.
  await machine.run('sleep', ['1']);
  const others = watchOthers(machine.pid);
  const ended = await run(machine);
  const used = others();
  if (ended.status !== 0) throw new Error(`${name}: status ${ended.status}\n${ended.stdout}${ended.stderr}`);
  const { wallMs } = ended;
  return {
    wallMs,
    firstMs: firstInsertMs(ended),
    modules: await machine.modules(),
    others: used,
    bootMs: machine.bootMs,
  };
}

async function main(): Promise<void> {
  const image = await machineImage();
  if (image.kind === 'missing') throw new Error(image.sentence);
  const work = mkdtempSync(join(tmpdir(), 'plugd-coldplug-'));
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  const inserter = join(work, 'inserter');
  const source = join(root, 'test/bench/inserter.c');
  const compiled = await runProgram('gcc', ['-O2', '-static', '-pthread', '-o', inserter, source]);
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  const lite = await plugdLite();
  if (lite.kind === 'missing') console.log(lite.sentence);
  const files = {
    'usr/bin/inserter': { from: inserter, mode: 0o755 },
    ...(lite.kind === 'ready'
      ? {
          'usr/bin/plugd-lite': { from: lite.program, mode: 0o755 },
          'usr/bin/plugd-request': { from: lite.helper, mode: 0o755 },
        }
      : {}),
  };

  const udevd = subject('systemd-udevd', coldplugByUdevd);
  const plugd = coldplugBy('plugd coldplug', 'plugd');
  const small = lite.kind === 'ready' ? [coldplugBy('plugd-lite', 'plugd-lite')] : [];
  const bare = subject('bare inserter', (machine) =>
    machine.run('inserter', [values.threads, '/tmp/list'], { timeout: 300_000 }),
  );
  const subjects = [udevd, plugd, ...small, bare];
  const rounds = Number(values.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const one of subjects) {
      const list = insertionList(image.tree, udevd.modules);
      for (let tries = 1; ; tries++) {
        const { wallMs, firstMs, modules, others, bootMs } = await measure(image, files, one, list);
        const figures = `${(wallMs / 1000).toFixed(2)} s, ${modules.length} modules`;
        const disturbed = others > DISTURBED ? `, others used ${Math.round(others * 100)} % of this machine` : '';
        console.log(
          `round ${round + 1} of ${rounds}: ${one.name.padEnd(14)} ${figures} (boot ${(bootMs / 1000).toFixed(1)} s${disturbed})`,
        );
        if (others > DISTURBED && tries < TRIES) {
          console.log('  again: a disturbed figure says nothing');
          continue;
        }
        one.wall.push(wallMs);
        if (firstMs !== undefined) one.first.push(firstMs);
        one.modules = modules;
        break;
      }
    }
  }
  console.log(`\nmedian wall time of ${rounds} boots of each, Debian's ${image.tree.kernel}, two emulated processors`);
  for (const { name, wall, first } of subjects) {
    const spread = `${(Math.min(...wall) / 1000).toFixed(2)} to ${(Math.max(...wall) / 1000).toFixed(2)}`;
    const at = first.length === 0 ? '' : `, first insertion at ${(median(first) / 1000).toFixed(2)} s`;
    console.log(`  ${name.padEnd(14)} ${(median(wall) / 1000).toFixed(2)} s (${spread})${at}`);
  }
  for (const { own, ofUdevd, ofBare } of [
    { own: [plugd], ofUdevd: 0.75, ofBare: 1.5 },
    { own: small, ofUdevd: 0.55, ofBare: 1.2 },
  ]) {
    for (const { name, wall } of own) {
      console.log(`${name} / ${udevd.name}  ${ratioText(ratios(wall, udevd.wall))}  goal: at most ${ofUdevd}`);
      console.log(`${name} / ${bare.name}  ${ratioText(ratios(wall, bare.wall))}  goal: at most ${ofBare}`);
    }
  }
}

await main();
