import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VERSION } from '../agent/base/version.ts';
import { readImports, violations, type Import } from './house.ts';

const root = join(import.meta.dirname, '../..');
const code = (file: string, target: string, types = false): Import => ({ file, target, types });

t.test('layers, doors, purity and circles hold in the whole house', (t) => {
  const imports = readImports(join(root, 'agent'));
  t.ok(imports.length > 50, `${imports.length} imports were read`);
  t.same(violations(imports), []);
  t.end();
});

const forbidden: Record<string, readonly [Import[], RegExp]> = {
  'an earlier layer imports a later one': [[code('base/a.ts', 'facts/b.ts')], /later layer/],
  'a type import counts too': [[code('match/a.ts', 'rules/b.ts', true)], /later layer/],
  'two rooms of one layer': [[code('depmod/a.ts', 'dkms/b.ts')], /beside it/],
  'a package outside its door': [
    [code('facts/other.ts', 'netlink/dist/raw.js')],
    /whose door is facts\/uevents\/uevent-socket.ts/,
  ],
  'a package without a door': [[code('report/a.ts', 'left-pad')], /not built/],
  'I/O in a pure room': [[code('plan/a.ts', 'node:fs')], /pure/],
  'values of facts in a pure room': [[code('rules/a.ts', 'facts/b.ts')], /more than types/],
  'a room nobody planned': [[code('utils/a.ts', 'base/b.ts')], /no room/],
  'a circle': [
    [code('base/a.ts', 'base/b.ts'), code('base/b.ts', 'base/a.ts')],
    /circle: base\/a.ts → base\/b.ts → base\/a.ts/,
  ],
};
for (const [name, [imports, expected]] of Object.entries(forbidden)) {
  t.test(`found: ${name}`, (t) => {
    t.match(violations(imports).join('\n'), expected);
    t.end();
  });
}

t.test('what is allowed is not found', (t) => {
  t.same(
    violations([
      code('facts/uevents/uevent-socket.ts', 'netlink/dist/raw.js'),
      code('plan/a.ts', 'facts/b.ts', true),
      code('facts/a.ts', 'node:fs'),
    ]),
    [],
  );
  t.end();
});

t.test("the version is the package's", (t) => {
  t.equal(VERSION, (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version);
  t.equal(
    execFileSync(process.execPath, [join(root, 'dist/plugd.cjs'), '--version'], { encoding: 'utf8' }),
    `plugd ${VERSION}\n`,
  );
  t.end();
});
