/** The package as another one sees it: its types under the strictest compiler, its import without consequences. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '../../..');

t.setTimeout(120_000);

/** A package beside which plugd is installed. */
function consumer(base: string): string {
  mkdirSync(join(base, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(base, 'node_modules/plugd'));
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(base, 'node_modules', name));
  }
  writeFileSync(join(base, 'package.json'), '{"type":"module"}');
  return base;
}

const PROGRAM = `
import {
  buildIndexes, explainDevice, openModules, openUevents, parseRules, parseUevent, planColdplug, PlugdError, publishIndexes, readDevices,
  readModuleInfo, type ColdplugRun, type Modules, type Step, type Verdict,
} from 'plugd';

const modules: Modules = openModules({ root: '/', kernel: '1' });
const found = modules.lookup('pci:v1');
// @ts-expect-error: only what was found has candidates.
found.candidates;
if (found.kind === 'found') for (const { module, priority } of found.candidates) console.log(module.length + priority);
const steps: readonly Step[] = modules.plan('x', { byRule: true }).answers[0]?.plan?.steps ?? [];
console.log(steps.map(({ path, after }) => path + after.length));
const info = readModuleInfo('x.ko');
const text: string = info.kind === 'info' ? info.fields.map(({ key, value }) => key + value).join() : info.why;
const build = await buildIndexes({ root: '/', layout: 'parent-first' });
if (build.kind === 'built') publishIndexes(build.moduleDir, build.files);
// @ts-expect-error: no such layout.
await buildIndexes({ layout: 'sideways' });
const run: ColdplugRun = await planColdplug({ sysfs: '/sys' });
const verdict: Verdict = explainDevice('eth0').verdict;
for (const device of readDevices('/sys')) console.log(device.modaliases, text, run.wallMs, verdict);
const read = parseUevent(Buffer.alloc(0));
if (read.kind === 'uevent') console.log(read.uevent.properties.get('X'));
const socket = await openUevents({ uevent: ({ devpath }) => console.log(devpath), gap: (from, to) => console.log(to - from) });
socket.close();
console.log(parseRules([{ file: 'a', text: '' }]).blacklists, new PlugdError('usage', 'x').remedy);
// Plain strings are taken, branded ones are given.
const name: string = modules.list().next().value?.module ?? '';
modules.info(name);
`;

t.test('its types compile for a strict consumer that checks libraries too; so do the examples', (t) => {
  const base = consumer(t.testdir());
  writeFileSync(join(base, 'program.ts'), PROGRAM);
  const examples = readdirSync(join(root, 'examples'));
  for (const name of examples) writeFileSync(join(base, name), readFileSync(join(root, 'examples', name)));
  const options = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
  };
  const files = ['program.ts', ...examples];
  writeFileSync(join(base, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  // What it must find wrong is in the program as `@ts-expect-error`, which is an error itself where nothing is wrong.
  const compiled = spawnSync(process.execPath, [tsc, '-p', base], { encoding: 'utf8', cwd: base });
  t.match(compiled, { status: 0, stdout: '' });
  t.end();
});

t.test('importing it starts nothing and loads no addon', (t) => {
  const base = consumer(t.testdir());
  const run = (text: string) => {
    writeFileSync(join(base, 'program.mjs'), text);
    return spawnSync(process.execPath, ['program.mjs'], { cwd: base, encoding: 'utf8', timeout: 60_000 });
  };
  const report = `const addons = () => process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node')).length;`;
  const imported = run(
    `${report} import * as plugd from 'plugd'; console.log(addons(), Object.keys(plugd).length > 15);`,
  );
  t.match(imported, { status: 0, stdout: '0 true\n', stderr: '' }, 'and it ends by itself');
  const used = run(`${report} import { openModules, parseRules } from 'plugd';
    try { openModules({ kernel: '0' }); } catch (error) { console.log(error.code); }
    console.log(parseRules([{ file: 'a', text: 'blacklist b' }]).blacklists.length, addons());`);
  t.match(used, { status: 0, stdout: 'no-modules-directory\n1 0\n', stderr: '' });
  const opened = run(`${report} import { openUevents } from 'plugd';
    (await openUevents({ uevent() {}, gap() {} })).close(); console.log(addons());`);
  t.match(opened, { status: 0, stdout: '2\n' }, "plugd's and netlink's, once they are needed");
  const hidden = run(`import('plugd/dist/agent/base/names.js').catch((error) => console.log(error.code));`);
  t.match(hidden, { stdout: 'ERR_PACKAGE_PATH_NOT_EXPORTED\n' });
  t.end();
});
