/** The package as another one sees it: its types under the strictest compiler, its import without consequences. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const root = join(import.meta.dirname, '../../..');

t.setTimeout(600_000);

let packed: string | undefined;

/** The packed package, unpacked once: what npm would install, without running anything. */
function unpacked(t: Test): string {
  if (packed !== undefined) return packed;
  const folder = mkdtempSync(join(tmpdir(), 'plugd-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const pack = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--offline', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  t.equal(pack.status, 0, pack.stderr);
  const tar = spawnSync('tar', ['-xzf', join(folder, pack.stdout.trim()), '-C', folder], { encoding: 'utf8' });
  t.equal(tar.status, 0, tar.stderr);
  return (packed = join(folder, 'package'));
}

/** A package beside which the packed plugd and what it depends on are installed. */
function consumer(t: Test): string {
  const base = mkdtempSync(join(tmpdir(), 'plugd-consumer-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'node_modules/@types'), { recursive: true });
  // Hard links: the same files, which nothing here writes to.
  spawnSync('cp', ['-al', unpacked(t), join(base, 'node_modules/plugd')]);
  // The addon is built where a package is installed.
  const built = join(base, 'node_modules/plugd/native/build/Release');
  mkdirSync(built, { recursive: true });
  copyFileSync(join(root, 'native/build/Release/plugd.node'), join(built, 'plugd.node'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types', 'esbuild', '@esbuild']) {
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
  const base = consumer(t);
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
    // As in TypeScript 7, no types come by themselves: plugd's own refer to Node's.
    types: [],
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
  const base = consumer(t);
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

const BUNDLED = `
import { openModules, parseRules, readDevices } from 'plugd';
console.log(parseRules([{ file: 'a', text: 'blacklist b' }]).blacklists.length);
try { openModules({ kernel: '0' }); } catch (error) { console.log(error.code); }
console.log(Array.isArray([...readDevices('/nonexistent')]));
`;
t.test('a CommonJS bundle of a program that uses it runs, with and without the installed package', (t) => {
  const base = consumer(t);
  writeFileSync(join(base, 'program.mjs'), BUNDLED);
  const esbuild = join(root, 'node_modules/esbuild/bin/esbuild');
  const words = [
    'program.mjs',
    '--bundle',
    '--platform=node',
    '--format=cjs',
    '--outfile=out.cjs',
    '--log-level=error',
  ];
  t.match(spawnSync(esbuild, words, { cwd: base, encoding: 'utf8' }), { status: 0, stderr: '' });
  const run = () => spawnSync(process.execPath, ['out.cjs'], { cwd: base, encoding: 'utf8' });
  t.match(run(), { status: 0, stdout: '1\nno-modules-directory\ntrue\n', stderr: '' });
  rmSync(join(base, 'node_modules/plugd'), { recursive: true });
  t.match(
    run(),
    { status: 0, stdout: '1\nno-modules-directory\ntrue\n', stderr: '' },
    'devices are read through Node then',
  );
  t.end();
});

t.test('schemas and examples can be had by the name of the package', (t) => {
  const base = consumer(t);
  const text = `import devices from 'plugd/schemas/devices' with { type: 'json' };
    console.log(devices.$schema !== undefined, import.meta.resolve('plugd/examples/why-not-loaded.mjs').endsWith('.mjs'));`;
  writeFileSync(join(base, 'program.mjs'), text);
  const words = ['--disable-warning=ExperimentalWarning', 'program.mjs'];
  t.match(spawnSync(process.execPath, words, { cwd: base, encoding: 'utf8' }), { status: 0, stdout: 'true true\n' });
  t.end();
});

t.test('an example that is called wrongly prints how to call it', (t) => {
  const base = consumer(t);
  const wrong: Readonly<Record<string, readonly string[]>> = { 'watch-uevents.mjs': ['many'] };
  for (const name of readdirSync(join(root, 'examples'))) {
    const file = join(base, 'node_modules/plugd/examples', name);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...(wrong[name] ?? [])], {
      cwd: base,
      encoding: 'utf8',
    });
    t.match(
      { status, stdout, stderr },
      { status: 64, stdout: '', stderr: new RegExp(`^usage: node examples/${name} [^\n]+\n$`) },
      name,
    );
  }
  t.end();
});

t.test('a package that brings the addon needs neither compiler nor script', (t) => {
  const base = consumer(t);
  const home = join(base, 'node_modules/plugd');
  const brought = join(home, `native/prebuilt/linux-${process.arch}-gnu`);
  rmSync(join(home, 'native/build'), { recursive: true });
  mkdirSync(brought, { recursive: true });
  for (const name of ['plugd.node', 'plugd-request'])
    copyFileSync(join(root, 'native/build/Release', name), join(brought, name));
  // Without a PATH there is no compiler, make or python3.
  const env = { PATH: '/nonexistent', HOME: base };
  const install = () =>
    spawnSync(process.execPath, [join(home, 'native/build.mjs'), '--unless-brought'], { encoding: 'utf8', env });
  const listen = `import { openUevents } from 'plugd'; (await openUevents({ uevent() {}, gap() {} })).close();
    console.log(process.report.getReport().sharedObjects.filter((path) => path.includes('/prebuilt/')).length);`;
  writeFileSync(join(base, 'program.mjs'), listen);
  const run = () => spawnSync(process.execPath, ['program.mjs'], { cwd: base, encoding: 'utf8', env });
  t.match(run(), { status: 0, stdout: '1\n', stderr: '' }, 'it is found where no script ran');
  t.match(install(), { status: 0, stdout: '', stderr: '' }, 'the script has nothing to do, and says nothing');
  t.notOk(readdirSync(join(home, 'native')).includes('build'), 'nothing was built');
  writeFileSync(join(brought, 'plugd.node'), 'of another C library');
  const { status, stderr } = install();
  t.equal(status, 1);
  t.match(stderr, /^plugd: the addon that the package brings does not load here; it is built instead\.\n/);
  t.match(stderr, /did not build\. It needs a C\+\+ compiler/);
  t.end();
});
