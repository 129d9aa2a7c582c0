import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readmeExamples, withExamples } from './readme-examples.ts';

t.test("README's examples are what plugd says (npm run readme)", (t) => {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
  const examples = readmeExamples();
  t.same(
    examples.flatMap((example) => example.split('\n')).filter((line) => line.length > 4 + 80),
    [],
    'they fit 80 columns',
  );
  t.equal(withExamples(readme, examples), readme);
  t.end();
});
