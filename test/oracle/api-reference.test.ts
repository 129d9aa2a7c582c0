/** The reference of the library (npm run docs:api): everything that the package exports has a docstring, and every type can be named. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '../../..');
const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');

t.setTimeout(600_000);

t.test(
  'typedoc finds nothing undocumented',
  { skip: existsSync(typedoc) ? false : 'typedoc is not installed: npm ci' },
  (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--emit', 'none'], {
      cwd: root,
      encoding: 'utf8',
    });
    t.equal(status, 0, stdout + stderr);
    t.end();
  },
);
