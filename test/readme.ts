/** `npm run readme`: writes the examples of README.md anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readmeExamples, withExamples } from './flow/readme-examples.ts';

const file = join(import.meta.dirname, '../../README.md');
writeFileSync(file, withExamples(readFileSync(file, 'utf8'), readmeExamples()));
