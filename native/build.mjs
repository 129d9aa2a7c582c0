/**
 * Builds the addon with npm's own node-gyp, so that the package needs no second copy, and the request helper with the C compiler that
 * node-gyp found. `npm run build:native` runs it by hand, and npm's `install` script with --unless-brought: then a package that brings an
 * addon which loads here (recipes/prebuilt.mjs) is left as it is. A clone builds its own in any case.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildHelper } from './recipes/request-helper.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** npm contains node-gyp. npm_execpath says where npm is; otherwise it is the `npm` beside the running node. */
function findNodeGyp() {
  const starts = [process.env.npm_execpath, join(dirname(process.execPath), 'npm')].filter(Boolean);
  for (const start of starts) {
    if (!existsSync(start)) continue;
    for (let dir = dirname(realpathSync(start)); dir !== dirname(dir); dir = dirname(dir)) {
      const gyp = join(dir, 'node_modules/node-gyp/bin/node-gyp.js');
      if (existsSync(gyp)) return gyp;
    }
  }
  const debian = [
    '/usr/share/nodejs/node-gyp/bin/node-gyp.js',
    '/usr/lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js',
  ];
  return debian.find((path) => existsSync(path));
}

/** Node's own headers, if they were installed with it; then nothing needs downloading. */
function headers() {
  const prefix = resolve(dirname(realpathSync(process.execPath)), '..');
  return existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : [];
}

/** Whether the package brings an addon that this Node loads. */
function bringsAddon() {
  const file = join(here, `prebuilt/linux-${process.arch}-gnu/plugd.node`);
  if (existsSync(join(here, '../.git')) || !existsSync(file)) return false;
  if (spawnSync(process.execPath, ['-e', `require(${JSON.stringify(file)})`]).status === 0) return true;
  console.error('plugd: the addon that the package brings does not load here; it is built instead.');
  return false;
}

if (process.argv.includes('--unless-brought') && bringsAddon()) process.exit(0);
const gyp = findNodeGyp();
if (gyp === undefined) {
  console.error('plugd: node-gyp was not found beside npm; install npm, then run: npm run build:native');
  process.exit(1);
}
// npm passes its settings as npm_config_*, which node-gyp reads too, so a nodedir set there still wins.
const result = spawnSync(process.execPath, [gyp, 'rebuild', '--directory', here, '--jobs', 'max', ...headers()], {
  encoding: 'utf8',
});
if (result.status !== 0) {
  process.stderr.write(`${result.stdout}${result.stderr}`);
  console.error(
    'plugd: the addon did not build. It needs a C++ compiler, make and python3 (Debian: apt-get install g++ make python3).',
  );
  process.exit(1);
}

const complaint = buildHelper(process.env.CC ?? 'cc', process.arch, join(here, 'build/Release/plugd-request'));
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  console.error(
    'plugd: the request helper (native/request-helper.c) did not build. It needs a C compiler (Debian: apt-get install gcc).',
  );
  process.exit(1);
}
