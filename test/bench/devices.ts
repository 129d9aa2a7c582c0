/**
 * How long `plugd devices` takes for a recording of 2,000 devices with as many different MODALIASes, beyond the start of a
 * bare node: at most 500 ms.
 *
 *     npm run bench:devices [-- --rounds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aliasPatterns, namesFor } from '../fixtures/alias-strings.ts';
import { debianTree } from '../fixtures/debian.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' } } });
const DEVICES = 2000;
const plugd = join(import.meta.dirname, '../../plugd.cjs');
const tree = await debianTree('amd64');
if (tree.kind === 'missing') throw new Error(tree.sentence);

const work = mkdtempSync(join(tmpdir(), 'plugd-devices-'));
try {
  const names = namesFor(aliasPatterns(tree), 7).filter((name) => name.includes(':'));
  const chosen = Array.from({ length: DEVICES }, (_, i) => names[Math.floor((i * names.length) / DEVICES)] ?? '');
  const file = join(work, 'machine.jsonl');
  const lines = chosen.map((modalias, i) => JSON.stringify({ devpath: `/devices/x/${i}`, subsystem: 'pci', modalias }));
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const time = (...args: string[]) => {
    const began = performance.now();
    const out = execFileSync(process.execPath, args, { env, encoding: 'utf8', maxBuffer: 1 << 26 });
    return { ms: performance.now() - began, lines: out.split('\n').length - 1 };
  };
  const where = ['--root', tree.root, '--kernel', tree.kernel];
  const node: number[] = [];
  const devices: number[] = [];
  for (let round = -1; round < Number(values.rounds); round++) {
    const bare = time('-e', '0');
    const run = time(plugd, 'devices', ...where, '--replay', file);
    if (run.lines !== DEVICES + 1) throw new Error(`${run.lines} lines for ${DEVICES} devices`);
    if (round < 0) continue;
    node.push(bare.ms);
    devices.push(run.ms);
  }
  const beyond = median(devices.map((ms, i) => ms - (node[i] ?? 0)));
  console.log(`${values.rounds} rounds after 1 to warm up; medians`);
  console.log(`node -e 0                       ${median(node).toFixed(1).padStart(7)} ms`);
  console.log(`plugd devices, ${DEVICES} devices    ${median(devices).toFixed(1).padStart(7)} ms`);
  console.log(`beyond node's start             ${beyond.toFixed(1).padStart(7)} ms   goal: at most 500`);
} finally {
  rmSync(work, { recursive: true });
}
