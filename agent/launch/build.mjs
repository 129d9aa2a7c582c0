/**
 * Builds what runs: the library and tests as ESM (tsc), the command line as CJS bundles (esbuild) with a V8 code cache each.
 * One file and a cache, instead of some hundred ESM files, cut the start from 4 times a bare `node -e 0` to under 1.5 times.
 * Commands that start often, or at boot, have a bundle of their own, and so has an action of one: V8 loads a cache as a whole, whatever runs.
 *
 * `--tolerant`: without the development dependencies (npm ci --omit=dev) it builds nothing, and the package's own dist/ is used as
 * it is.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'dist');

function run(file, args) {
  return spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
}

const tsc = join(root, 'node_modules/typescript/bin/tsc');
if (!existsSync(tsc) || !existsSync(join(root, 'node_modules/esbuild'))) {
  if (process.argv.includes('--tolerant') && existsSync(join(dist, 'plugd.cjs'))) process.exit(0);
  if (process.argv.includes('--tolerant')) {
    console.error(
      'plugd: built without typescript and esbuild: nothing to run. Use npm ci with the development dependencies.',
    );
    process.exit(0);
  }
  console.error('plugd: typescript or esbuild is missing; run: npm ci');
  process.exit(1);
}
mkdirSync(dist, { recursive: true });
const typed = run(tsc, ['-p', root]);

const { build, transform } = await import('esbuild');
const { fillCodeCaches, PARTS } = await import('./code-caches.mjs');

/** A bundle of agent/cli.ts with only the command, or the action of a command, of this name; the launcher never asks it for others. */
async function bundle(part) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['agent/cli.ts'],
    outfile: 'dist/plugd.js',
    bundle: true,
    write: false,
    // The package leaves the maps out; test/coverage.ts reads them.
    sourcemap: 'external',
    sourcesContent: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // import() inside a vm.Script needs a loader; require() does not.
    supported: { 'dynamic-import': false },
    plugins: [netlinkBinding, lazyYaml, pageFiles, ...(part === 'all' ? [] : [only(part)])],
    define: { 'import.meta.url': '__plugd_file' },
    legalComments: 'none',
    // The names stay readable in stack traces; only blanks are removed.
    minifyWhitespace: true,
    // One expression, whose value is the function that agent/launch/launcher.cjs calls.
    banner: { js: '(function(require,module,exports,__plugd_file,__dirname){' },
    footer: { js: '})' },
  });
  const [map, code] = outputFiles.toSorted((a, b) => b.path.length - a.path.length);
  return { code: code.text, map: map.text };
}

const netlinkBinding = {
  name: 'netlink-binding',
  setup: (hooks) => {
    const binding = JSON.stringify(join(root, 'agent/launch/netlink-binding.cjs'));
    hooks.onLoad({ filter: /netlink\/dist\/raw\.js$/ }, ({ path }) => {
      const own = "require('node-gyp-build')(__dirname + '/..')";
      const text = readFileSync(path, 'utf8');
      if (!text.includes(own)) throw new Error(`${path}: it no longer loads its addon by ${own}`);
      return { contents: text.replace(own, `require(${binding})`), loader: 'js' };
    });
  },
};

/** The library asks Node for `yaml` when it is needed. The bundles share one file of it: few machines have such a configuration. */
const lazyYaml = {
  name: 'lazy-yaml',
  setup: (hooks) => {
    hooks.onLoad({ filter: /agent\/facts\/config\/yaml-text\.ts$/ }, ({ path }) => {
      const own = "createRequire(moduleUrl(import.meta.url, 'facts/config/yaml-text.js'))('yaml')";
      const text = readFileSync(path, 'utf8');
      if (!text.includes(own)) throw new Error(`${path}: it no longer loads the package by ${own}`);
      return { contents: text.replace(own, "require(__dirname + '/yaml.cjs')"), loader: 'ts' };
    });
  },
};

/** The page of `plugd report` carries its style and script in it: the bundle has them as text, without blanks and comments. */
const pageFiles = {
  name: 'page-files',
  setup: (hooks) => {
    hooks.onLoad({ filter: /agent\/report\/page\/page-files\.ts$/ }, async ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const [name, loader] of [
        ['page.css', 'css'],
        ['page.js', 'js'],
      ]) {
        const own = `fileText('${name}')`;
        if (!contents.includes(own)) throw new Error(`${path}: it no longer reads ${name} by ${own}`);
        const source = readFileSync(join(dirname(path), name), 'utf8');
        const { code } = await transform(source, { loader, minify: true, legalComments: 'none' });
        contents = contents.replace(own, () => JSON.stringify(code));
      }
      return { contents, loader: 'ts' };
    });
  },
};

/** `dkms` has all that the command loads when it needs it; `dkms-status` has none of it, for an action that the command does by itself. */
function only(part) {
  const [name, action] = part.split('-');
  const isAbsent = (path, importer) =>
    importer.endsWith('/agent/commands/command-table.ts') ? !path.endsWith(`/${name}.ts`) : action !== undefined;
  return {
    name: 'only',
    setup: (hooks) => {
      hooks.onResolve({ filter: /^\.\.?\// }, ({ path, kind, importer }) =>
        kind === 'dynamic-import' && isAbsent(path, importer) ? { path, namespace: 'absent' } : undefined,
      );
      hooks.onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
        contents: `throw new Error(${JSON.stringify(`${path} is not in this bundle`)})`,
      }));
    },
  };
}

await build({
  absWorkingDir: root,
  entryPoints: ['yaml'],
  outfile: 'dist/yaml.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifyWhitespace: true,
  legalComments: 'inline',
});

for (const name of readdirSync(dist)) if (/^plugd\..*\.(cjs|cache|map)$/.test(name)) rmSync(join(dist, name));
const parts = {};
for (const name of PARTS) {
  const { code, map } = await bundle(name);
  const file = `plugd.${name}.${createHash('sha256').update(code).digest('hex').slice(0, 16)}`;
  writeFileSync(join(dist, `${file}.cjs`), code);
  writeFileSync(join(dist, `${file}.cjs.map`), map);
  parts[name] = file;
}
/**
 * The program is a shell script and JavaScript at once: to the shell the second line is `:`, then `exec node`; to JavaScript it is a
 * string and a comment. Node reads these variables before any JavaScript, and the caller of modprobe may have set them for another
 * program: a loader that modprobe cannot find, a debugger's port. `env -u` does the same with one exec more, and `env -S` does not
 * exist everywhere.
 */
const VARIABLES = [
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_ICU_DATA',
  'NODE_PATH',
  'NODE_PENDING_DEPRECATION',
  'NODE_PRESERVE_SYMLINKS',
  'NODE_PRESERVE_SYMLINKS_MAIN',
  'NODE_REDIRECT_WARNINGS',
  'NODE_USE_ENV_PROXY',
  'NODE_V8_COVERAGE',
];
/** One thread beside the first, for V8's compiler and garbage collector: short programs do not use more, and to start four takes a tenth of a start. */
const OPTIONS = '--v8-pool-size=1';
const head = `#!/bin/sh\n':' //; unset ${VARIABLES.join(' ')}; exec node ${OPTIONS} "$0" "$@"\n`;
const launcher = readFileSync(join(root, 'agent/launch/launcher.cjs'), 'utf8').replace(
  '@PARTS@',
  JSON.stringify(parts),
);
writeFileSync(join(dist, 'plugd.cjs'), head + launcher);
chmodSync(join(dist, 'plugd.cjs'), 0o755);

process.exit(typed || fillCodeCaches(dist));
