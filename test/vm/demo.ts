/**
 * `npm start`: shows plugd's main job anywhere, safely. Boots Debian's kernel in QEMU (software emulation) with some forty
 * devices and no driver loaded, runs `plugd coldplug -v` in it with its output shown live, and ends QEMU. Where there is no QEMU
 * or no such kernel it says so and shows what `plugd coldplug -n` would do on this machine.
 *
 *     npm start [-- OPTION…]     options for `plugd coldplug` instead of -v
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { kitchenSink } from './machine/devices.ts';
import { machineImage } from './machine/image.ts';
import { boot } from './machine/machine.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');
const { stdout } = process;

/** Does `work` under a line that tells what and, on a terminal, for how long so far. */
async function told<T>(what: string, work: Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
  const timer = stdout.isTTY ? setInterval(() => stdout.write(`\r${what} … ${seconds()}`), 500) : undefined;
  stdout.write(stdout.isTTY ? `${what} …` : `${what} … `);
  try {
    const result = await work;
    stdout.write(stdout.isTTY ? `\r${what} … ${seconds()}\n` : `${seconds()}\n`);
    return result;
  } catch (error) {
    stdout.write('\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function demo(options: readonly string[]): Promise<number> {
  const image = await told("Getting QEMU and Debian's kernel, kept for next time", machineImage());
  if (image.kind === 'missing') {
    console.log(
      `No virtual machine here: ${image.sentence}\nInstead, what plugd would do on this machine (plugd coldplug -n):\n`,
    );
    return spawnSync(process.execPath, [plugd, 'coldplug', '-n'], { stdio: 'inherit' }).status ?? 1;
  }
  const devices = kitchenSink();
  const count = devices.filter((word) => word === '-device').length;
  const what = `Booting Linux ${image.tree.kernel} in QEMU with ${count} devices and no driver`;
  const machine = await told(what, boot(image, { devices }));
  try {
    const words = ['coldplug', ...(options.length > 0 ? options : ['-v'])];
    console.log(`\n# plugd ${words.join(' ')}`);
    const { status } = await machine.run('plugd', words, {
      timeout: 300_000,
      env: process.env['NO_COLOR'] === undefined ? {} : { NO_COLOR: process.env['NO_COLOR'] },
      terminal: stdout.isTTY,
      // The machine's terminal has ended each line with a carriage return already; this one adds its own.
      onOutput: (chunk, stream) =>
        (stream === 'stdout' ? stdout : process.stderr).write(
          Buffer.from(chunk.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
        ),
    });
    return status;
  } finally {
    await machine.stop();
    console.log('\nQEMU has been ended; nothing of this machine was changed.');
  }
}

try {
  process.exitCode = await demo(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
