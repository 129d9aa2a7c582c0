// Which module files must an image (say, an initramfs) contain so that a machine's devices have their drivers?
//
//     plugd devices --record > machine.jsonl        (on the machine)
//     node examples/image-drivers.mjs machine.jsonl /mnt/image > files
//
// Prints the files in order, each after everything it needs; messages go to standard error.
import { readFileSync } from 'node:fs';
import { openModules, parseRecording } from 'plugd';

const [file, root] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node examples/image-drivers.mjs RECORDING [ROOT]');
  process.exit(64);
}
const modules = openModules({ root });
const devices = parseRecording(readFileSync(file, 'utf8'), file);

/** @type {Set<string>} */
const files = new Set();
const undriven = [];
for (const device of devices) {
  const answers = device.modaliases.flatMap((modalias) => modules.plan(modalias, { byRule: true }).answers);
  for (const { plan } of answers) for (const { path } of plan?.steps ?? []) if (path !== '') files.add(path);
  const served = answers.some(({ decision, plan }) => decision.kind === 'builtin' || (plan?.steps.length ?? 0) > 0);
  if (device.driver !== undefined && !served) undriven.push(device);
}
for (const path of files) console.log(path);
console.error(`${files.size} files for ${devices.length} devices, from ${modules.moduleDir}`);
for (const { devpath, driver } of undriven) console.error(`nothing here by modalias: ${devpath}, which had ${driver}`);
for (const { file: bad, line, message } of modules.problems()) console.error(`${bad}:${line}: ${message}`);
