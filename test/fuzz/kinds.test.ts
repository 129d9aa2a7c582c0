/** The short run of every `npm test`: the same inputs each time. `npm run fuzz` is the long one, with other inputs each time. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { KINDS } from './kinds.ts';
import { fuzz } from './supervisor.ts';

t.test('every file of kinds/ is fuzzed', (t) => {
  const files = readdirSync(join(import.meta.dirname, 'kinds')).filter((name) => name.endsWith('.js'));
  t.same(
    KINDS.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1)),
    files.map((name) => basename(name, '.js')).toSorted((a, b) => (a < b ? -1 : 1)),
  );
  t.end();
});

t.test('no input makes a reader throw, hang or take much memory (seeded)', async (t) => {
  const results = await fuzz({ kinds: KINDS, seed: 1, inputs: 120, seconds: 600 });
  t.equal(results.length, KINDS.length);
  for (const { name, report, failures } of results) {
    t.equal(report.inputs, 120, `${name} has all its inputs`);
    t.same(failures, [], `${name}; run it again: npm run fuzz -- --kind ${name} --input BASE64`);
  }
});
