/**
 * `npm run fuzz`: fuzzes every reader of input from outside.
 *
 *     npm run fuzz -- [--seconds N] [--inputs N] [--seed N] [--kind NAME]... [--input BASE64]
 *
 * `--seconds` (10) and `--inputs` are for each kind; what ends first ends it. The seed is printed: the same seed gives the same inputs. `--input` reads one input of the one
 * `--kind`. Exit status 1 when an input fails; it is printed with the words that read it again.
 */
import { parseArgs } from 'node:util';
import { KINDS } from './kinds.ts';
import type { FuzzKind } from './kind.ts';
import { failureOf } from './run.ts';
import { fuzz, type FuzzResult } from './supervisor.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    kind: { type: 'string', multiple: true },
    input: { type: 'string' },
  },
});
const kinds = KINDS.filter(({ name }) => values.kind === undefined || values.kind.includes(name));
const seconds = Number(values.seconds);
const inputs = Number(values.inputs ?? Number.MAX_SAFE_INTEGER);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const unknown = (values.kind ?? []).filter((name) => !KINDS.some((kind) => kind.name === name));
if (
  unknown.length > 0 ||
  !(seconds > 0) ||
  !(inputs > 0) ||
  !Number.isInteger(seed) ||
  (values.input !== undefined && kinds.length !== 1)
) {
  for (const name of unknown)
    console.error(`no kind ${name}; the kinds are: ${KINDS.map((kind) => kind.name).join(', ')}`);
  const words = '[--seconds N] [--inputs N] [--seed N] [--kind NAME]... [--input BASE64, with one --kind]';
  console.error(`usage: npm run fuzz -- ${words}`);
  process.exit(64);
}

/** One line, and the failures with their inputs. */
function print({ name, report, failures }: FuzzResult): void {
  const { inputs, slowestMs, peakMib } = report;
  const columns = [name.padEnd(17), `seed ${seed}`, `${inputs} inputs`.padStart(15)];
  console.log(`${columns.join('  ')}  slowest ${slowestMs.toFixed(1)} ms  peak ${peakMib.toFixed(1)} MiB`);
  for (const { what, number, input, originalLength } of failures) {
    console.log(`FAILED ${name}, input ${number} of seed ${seed} (${originalLength} bytes): ${what}`);
    console.log(`  npm run fuzz -- --kind ${name} --input '${input}'`);
  }
}

if (values.input === undefined) {
  const results = await fuzz({ kinds, seed, seconds, inputs }, print);
  const failed = results.flatMap(({ failures }) => failures).length;
  console.log(`${results.length} kinds, ${failed} failures`);
  process.exitCode = failed > 0 ? 1 : 0;
} else {
  const { kind } = (await import(kinds[0]?.url ?? '')) as { readonly kind: FuzzKind };
  const failure = failureOf(kind, Buffer.from(values.input, 'base64'));
  console.log(failure ?? 'it passes');
  process.exitCode = failure === undefined ? 0 : 1;
}
