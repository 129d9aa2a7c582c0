import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VERSION } from '../../agent/base/version.ts';

const root = join(import.meta.dirname, '../../..');

t.test("the version is the package's, and the program's", (t) => {
  t.equal(VERSION, (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version);
  t.equal(
    execFileSync(process.execPath, [join(root, 'dist/plugd.cjs'), '--version'], { encoding: 'utf8' }),
    `plugd ${VERSION}\n`,
  );
  t.end();
});
