import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { addon, type Addon } from '../../agent/base/addon.ts';
import type { PlugdError } from '../../agent/base/error.ts';

const root = join(import.meta.dirname, '../../..');
const built = join(root, 'native/build/Release/plugd.node');

interface Door {
  addon(): Addon;
}

/** The door, copied to `file` of a tree of its own, with an addon at `native` that has this content. */
async function doorAt(t: Test, file: string, native: string | undefined, content: Buffer | string): Promise<Door> {
  const dir = t.testdir({});
  const base = join(dir, dirname(file));
  mkdirSync(base, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  for (const name of readdirSync(join(root, 'dist/agent/base'))) {
    if (name.endsWith('.js')) copyFileSync(join(root, 'dist/agent/base', name), join(base, name));
  }
  if (native !== undefined) {
    mkdirSync(join(dir, dirname(native)), { recursive: true });
    writeFileSync(join(dir, native), content);
  }
  return (await import(pathToFileURL(join(dir, file)).href)) as Door;
}

const FOUND: ReadonlyArray<readonly [rule: string, file: string, native: string]> = [
  ['beside dist/, from the compiled files', 'dist/agent/base/addon.js', 'native/build/Release/plugd.node'],
  ['beside agent/, from the sources', 'agent/base/addon.js', 'native/build/Release/plugd.node'],
  ['beside dist/, from the bundle', 'dist/addon.js', 'native/build/Release/plugd.node'],
  ['as the package brings it', 'dist/agent/base/addon.js', `native/prebuilt/linux-${process.arch}-gnu/plugd.node`],
];
for (const [rule, file, native] of FOUND) {
  t.test(`the addon is found ${rule}`, async (t) => {
    const door = await doorAt(t, file, native, readFileSync(built));
    t.equal(door.addon().lockFile(-1), -9, 'and works: EBADF');
    t.equal(door.addon(), door.addon(), 'it is loaded once');
  });
}

function failure(door: Door): PlugdError {
  try {
    door.addon();
  } catch (error) {
    // The copied door has a PlugdError of its own.
    return error as PlugdError;
  }
  throw new Error('it did not fail');
}

t.test('without an addon the error says how to build it', async (t) => {
  const door = await doorAt(t, 'dist/agent/base/addon.js', undefined, '');
  t.match(failure(door), { code: 'unsupported', message: /is not built/, remedy: 'npm run build:native' });
  t.match(failure(door), { code: 'unsupported' }, 'each time it is asked for');
});

const whole = readFileSync(built);
const DAMAGED: ReadonlyArray<readonly [rule: string, content: Buffer | string]> = [
  ['an empty file', ''],
  ['a text file', 'not an ELF file'],
  ['an addon that is cut off', whole.subarray(0, 100)],
];
for (const [rule, content] of DAMAGED) {
  t.test(`${rule} does not load, and the error names it`, async (t) => {
    const native = 'native/build/Release/plugd.node';
    const door = await doorAt(t, 'dist/agent/base/addon.js', native, content);
    const error = failure(door);
    t.match(error, { code: 'unsupported', remedy: 'rebuild it: npm run build:native' });
    t.ok(error.message.includes(native), error.message);
    t.ok(error.cause instanceof Error);
  });
}

t.test('the interface names the functions that the addon has', (t) => {
  const source = readFileSync(join(root, 'agent/base/addon.ts'), 'utf8');
  const body = /export interface Addon \{\n(.*?)\n\}/s.exec(source)?.[1] ?? '';
  const declared = [...body.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1] ?? '');
  t.ok(declared.length > 10);
  t.same(declared.toSorted(), Object.keys(addon()).toSorted());
  t.end();
});
