import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PAGES, readmeExamples, withExamples } from './readme-examples.ts';

const root = join(import.meta.dirname, '../../..');
const read = (page: string) => readFileSync(join(root, page), 'utf8');

t.test('the examples of README and the tour are what plugd says (npm run readme)', (t) => {
  const examples = readmeExamples();
  t.same(
    examples.flatMap((example) => example.split('\n')).filter((line) => line.length > 4 + 80),
    [],
    'they fit 80 columns',
  );
  for (const page of PAGES) t.equal(withExamples(read(page), examples), read(page), page);
  const shown = PAGES.map(read).join('\n').split('\n');
  for (const example of examples) {
    const [command = ''] = example.split('\n');
    t.ok(shown.includes(command), `${command.trim()} is on a page`);
  }
  const typed = shown.filter((line) => line.startsWith('    $ plugd '));
  t.equal(typed.length, examples.length, 'no page has an example that nobody runs');
  t.end();
});

t.test('README is short: what is long has a page of its own in docs/', (t) => {
  t.ok(Buffer.byteLength(read('README.md')) <= 10 * 1024);
  t.end();
});

t.test('links between the pages lead to files', (t) => {
  const pages = ['', 'docs/'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}${name}`),
  );
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      t.ok(existsSync(join(root, dirname(page), target)), `${page}: ${target}`);
    }
  }
  t.end();
});
