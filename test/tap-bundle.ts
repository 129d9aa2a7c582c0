/**
 * tap as one file, in dist/node_modules, where the compiled tests find it before the package. tap consists of hundreds of modules: loading them
 * takes each of hundreds of test files half a second of processor time, the one file with V8's code cache beside it a tenth. A test
 * that is run by hand without it uses the package.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The bundle is CommonJS, because Node 20 takes no code cache for other modules. */
const BANNER = `const plugdUrl = require('node:url').pathToFileURL(__filename).href;`;

/** Loads the bundle through the cache, which V8 rejects when another Node made it. With PLUGD_TAP_CACHE=write it makes the cache. */
const LOADER = `'use strict';
const fs = require('node:fs');
const vm = require('node:vm');
const file = __dirname + '/bundle.cjs';
const cache = __dirname + '/bundle.cache';
let cachedData;
try {
  cachedData = fs.readFileSync(cache);
} catch {}
const code = '(function (exports, require, module, __filename, __dirname) {' + fs.readFileSync(file, 'latin1') + '\\n})';
const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
const script = new vm.Script(code, { filename: file, cachedData, importModuleDynamically });
script.runInThisContext()(exports, require, module, file, __dirname);
module.exports = module.exports.default;
if (process.env.PLUGD_TAP_CACHE === 'write') process.on('exit', () => fs.writeFileSync(cache, script.createCachedData()));
`;

/** What the functions in the cache have run: V8 compiles the others when they are called. */
const WARM_UP = `const t = require(process.argv[1]);
t.test('inner', async (t) => { t.ok(1); t.notOk(0); t.equal(1, 1); t.same([{ a: 1 }], [{ a: 1 }]); t.match('a', /a/); t.rejects(Promise.reject(new Error('a')), /a/); });
`;

/** Makes the bundle below `root`, unless there is one of the installed tap. */
export async function bundleTap(root: string): Promise<void> {
  const folder = join(root, 'dist/node_modules/tap');
  const manifest = join(folder, 'package.json');
  const version = versionIn(join(root, 'node_modules/tap/package.json'));
  if (existsSync(manifest) && versionIn(manifest) === version && existsSync(join(folder, 'bundle.cjs'))) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, 'node_modules/tap/dist/esm/index.js')],
    outfile: join(folder, 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['typescript', 'esbuild'],
    define: { 'import.meta.url': 'plugdUrl' },
    banner: { js: BANNER },
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'index.js'), LOADER);
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  spawnSync(process.execPath, ['--eval', WARM_UP, join(folder, 'index.js')], {
    env: { ...env, PLUGD_TAP_CACHE: 'write' },
    stdio: 'ignore',
  });
  // The last file: a bundle that was not finished has none, and is made again.
  writeFileSync(manifest, JSON.stringify({ name: 'tap', version, type: 'commonjs', main: './index.js' }));
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
