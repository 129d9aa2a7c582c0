/** `npm run readme`: writes the examples of README.md and docs/tour.md again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, readmeExamples, withExamples } from './flow/readme-examples.ts';

const examples = readmeExamples();
for (const page of PAGES) {
  const file = join(import.meta.dirname, '../..', page);
  writeFileSync(file, withExamples(readFileSync(file, 'utf8'), examples));
}
