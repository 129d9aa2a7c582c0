import t from 'tap';
import { fuzz, type FuzzOptions } from './supervisor.ts';

/** Runs readers that are broken on purpose, a generous time. */
async function run(names: readonly string[], options: Partial<FuzzOptions> = {}) {
  const kinds = names.map((name) => ({ name, url: new URL(`broken/${name}.js`, import.meta.url).href }));
  return fuzz({ kinds, seed: 1, inputs: 200, seconds: 600, ...options });
}

const input = (base64: string) => Buffer.from(base64, 'base64').toString('latin1');

t.test('what is thrown is a failure, with the shortest input that throws it', async (t) => {
  const [result] = await run(['throws']);
  t.ok(result !== undefined && result.failures.length > 0 && result.failures.length <= 3);
  for (const failure of result?.failures ?? []) {
    t.match(failure.what, /^RangeError: out of range at .*read.*throws\.[jt]s/);
    t.equal(input(failure.input), '!', 'nothing else is left');
    t.ok(failure.originalLength > 1);
  }
});

t.test('a PlugdError is an answer', async (t) => {
  const [result] = await run(['throws']);
  t.notOk(result?.failures.some(({ what }) => what.includes('PlugdError')));
});

t.test('the same seed gives the same failures, another seed others', async (t) => {
  const numbers = async (seed: number) =>
    (await run(['throws'], { seed }))[0]?.failures.map(({ number, originalLength }) => `${number} ${originalLength}`);
  const first = await numbers(7);
  t.same(await numbers(7), first);
  t.not((await numbers(8))?.join(), first?.join());
});

t.test('a reader that does not end is stopped, and the rest goes on', async (t) => {
  const [hung, next] = await run(['hangs', 'throws'], { inputs: 40, limits: { cpuMs: 200, memoryMib: 300 } });
  t.match(hung?.failures[0]?.what, /did not end within 200 ms of processor time/);
  t.ok(input(hung?.failures[0]?.input ?? '').includes('!'), 'the input that hung it');
  t.ok((hung?.failures.length ?? 0) <= 3, 'a few of a kind are enough');
  t.equal(next?.name, 'throws', 'the next kind has its turn');
  t.ok((next?.failures.length ?? 0) > 0);
});

t.test('a reader that takes the process with it', async (t) => {
  const [crashed, next] = await run(['exits', 'throws'], { inputs: 40 });
  t.match(crashed?.failures[0]?.what, /crashed: (SIGSEGV|exit status 139)/);
  t.ok(input(crashed?.failures[0]?.input ?? '').includes('!'), 'the input that crashed it');
  t.equal(next?.name, 'throws');
});

t.test('memory over the limit is a failure, below it is not', async (t) => {
  const [over] = await run(['swells'], { limits: { cpuMs: 60_000, memoryMib: 30 } });
  t.match(over?.failures[0]?.what, /took \d+ MiB of memory/);
  const [below] = await run(['swells'], { limits: { cpuMs: 60_000, memoryMib: 300 } });
  t.same(below?.failures, []);
  t.equal(below?.report.inputs, 200, 'all inputs were read');
});

t.test('a run ends with its inputs, or with its time', async (t) => {
  const [all] = await run(['swells'], { inputs: 5 });
  t.equal(all?.report.inputs, 5);
  const [none] = await run(['swells'], { seconds: 0 });
  t.equal(none?.report.inputs, 0);
});
