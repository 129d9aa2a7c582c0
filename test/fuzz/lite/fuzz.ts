/**
 * `npm run fuzz:lite`: the inputs of `npm run fuzz`, read in plugd-lite's engine. AddressSanitizer watches its C side, and
 * UndefinedBehaviorSanitizer plugd's part of that.
 *
 *     npm run fuzz:lite -- [--inputs N] [--from N] [--seed N] [--kind NAME]...
 *
 * `--inputs` is for each kind (500). The number of an input, its kind and the seed make its bytes: `--kind K --seed S --from N --inputs 1`
 * reads one again. Exit status 1 when an input fails.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lastComplaint, runProgram } from '../../fixtures/commands.ts';
import { Random } from '../../fixtures/random.ts';
import type { FuzzKind } from '../kind.ts';
import { KINDS } from '../kinds.ts';
import { nextInput } from '../mutation.ts';
import { seedOf } from '../run.ts';

const project = join(import.meta.dirname, '../../../..');
const PROGRAM = join(project, 'native/build/lite-asan/plugd-fuzz');
/** Node and the addon alone read these: plugd-lite starts xz, zstd and gzip. */
const LEFT_OUT = ['compressed', 'initramfs', 'cloud-config'];

/** Inputs that one process reads: its start takes as long as a hundred of them. */
const EACH = 1000;
/** More of a kind's failures would be more of the same. */
const MOST_FAILURES = 3;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '500' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string', multiple: true },
  },
});
const seed = Number(values.seed);
const [from, to] = [Number(values.from), Number(values.from) + Number(values.inputs)];

/** Each input behind its number and its length as u32. */
function inputsFile(kind: FuzzKind, first: number, end: number): Buffer {
  const parts: Buffer[] = [];
  for (let number = first; number < end; number++) {
    const input = nextInput(kind, new Random(seedOf(seed, number)));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(number, 0);
    head.writeUInt32LE(input.length, 4);
    parts.push(head, input);
  }
  return Buffer.concat(parts);
}

interface Read {
  /** In words, each with its input's number. */
  readonly failures: readonly string[];
  /** The input to go on with: behind the one at which the process ended. */
  readonly next: number;
}

/** One process reads inputs. */
async function readSome(name: string, kind: FuzzKind, first: number, end: number, file: string): Promise<Read> {
  writeFileSync(file, inputsFile(kind, first, end));
  const ended = await runProgram(PROGRAM, [name, file], { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  const failures = [...ended.stdout.matchAll(/^FAILED (\d+ .*)$/gm)].map(([, what = '']) => what);
  if (ended.status === 0) return { failures, next: end };
  const last = Number([...ended.stdout.matchAll(/^at (\d+)$/gm)].at(-1)?.[1] ?? first);
  return {
    failures: [...failures, `${last} ended with status ${ended.status}: ${ended.stderr.slice(0, 3000)}`],
    next: last + 1,
  };
}

async function main(): Promise<number> {
  const words = [join(project, 'native/lite/build/sanitized.mjs'), PROGRAM, 'test/fuzz/lite/reader.ts'];
  const built = await runProgram(process.execPath, [...words, join(project, 'test/fuzz/lite/heap.c')]);
  if (built.status === 2) {
    console.log(lastComplaint(built));
    return 0;
  }
  if (built.status !== 0) throw new Error(built.stderr);
  const work = mkdtempSync(join(tmpdir(), 'plugd-fuzz-lite-'));
  let all = 0;
  let failed = 0;
  try {
    for (const { name, url } of KINDS) {
      if (LEFT_OUT.includes(name) || (values.kind !== undefined && !values.kind.includes(name))) continue;
      const { kind } = (await import(url)) as { readonly kind: FuzzKind };
      let number = from;
      let failures = 0;
      while (number < to && failures < MOST_FAILURES) {
        const some = await readSome(name, kind, number, Math.min(number + EACH, to), join(work, 'inputs'));
        for (const failure of some.failures.slice(0, MOST_FAILURES)) console.log(`FAILED ${name}, input ${failure}`);
        failures += some.failures.length;
        number = some.next;
      }
      all += number - from;
      failed += failures;
      console.log(`${name.padEnd(17)} seed ${seed} from ${from} ${String(number - from).padStart(8)} inputs`);
    }
  } finally {
    rmSync(work, { recursive: true });
  }
  console.log(`${all} inputs, ${failed} failures`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
