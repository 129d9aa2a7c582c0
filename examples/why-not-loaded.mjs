// Why has this device no driver?
//
//     node examples/why-not-loaded.mjs 0000:00:1f.3
//     node examples/why-not-loaded.mjs 'usb:v0BDAp8153d3000dcFFdscFFdpFFicFFiscFFip00in00' /mnt/image
//
// The first argument is a path, a node, an address on a bus, a network interface, a modalias or a module's name; the second, optional
// one is the root of another system. The exit status is 1 when nothing would drive the device.
import { explainDevice, PlugdError } from 'plugd';

const [word, root] = process.argv.slice(2);
if (word === undefined) {
  console.error('usage: node examples/why-not-loaded.mjs DEVICE [ROOT]');
  process.exit(64);
}
try {
  const { meant, requests, verdict, reason, evidence, remedy } = explainDevice(word, { root });
  console.log(`${meant}: ${verdict}, ${reason}`);
  for (const fact of evidence) console.log(`  ${fact}`);
  for (const { candidates } of requests) {
    for (const candidate of candidates) {
      console.log(`  ${candidate.module}: ${candidate.verdict}`);
      for (const { applied, text, place } of candidate.rules) {
        if (applied && place !== undefined) console.log(`    ${text}  (${place.file}:${place.line})`);
      }
    }
  }
  if (remedy !== undefined) console.log(`→ ${remedy}`);
  process.exitCode = ['loaded', 'builtin', 'would-insert'].includes(verdict) ? 0 : 1;
} catch (error) {
  if (!(error instanceof PlugdError)) throw error;
  console.error(`${error.message}\n${error.remedy ?? ''}`);
  process.exitCode = 1;
}
