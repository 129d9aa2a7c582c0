/**
 * Builds what runs: the library and tests as ESM (tsc), the command line as CJS bundles (esbuild) with a V8 code cache each.
 * One file and a cache, instead of some hundred ESM files, cut the start from 4 times a bare `node -e 0` to under 1.5 times.
 * Commands that start often, or at boot, have a bundle of their own: V8 loads a cache as a whole, whatever runs.
 *
 * `--tolerant`: without the development dependencies (npm ci --omit=dev) it builds nothing, and the package's own dist/ is used as
 * it is.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'dist');

function run(file, args, env = {}, stdio = 'inherit', options = []) {
  const words = [...options, file, ...args];
  return spawnSync(process.execPath, words, { cwd: root, stdio, env: { ...process.env, ...env } }).status ?? 1;
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

const { build } = await import('esbuild');

/**
 * The bundles, each with the runs on a small tree whose functions its cache should hold: one for each command named here, `bare` for
 * no command, `all` for every command.
 */
const WARM = join(dist, 'warm-up');
const at = ['--root', WARM, '--kernel', '0'];
const PARTS = {
  bare: [['--version']],
  coldplug: [
    ['coldplug', ...at, '--sysfs', `${WARM}/sys`, '--proc', `${WARM}/proc`, '--run-dir', `${WARM}/run`, '--json'],
  ],
  load: [['load', '--boot-lists', '-n', ...at, '--sysfs', `${WARM}/sys`, '--proc', `${WARM}/proc`]],
  agent: [['agent', '--help']],
  lookup: [['lookup', ...at, 'pci:v1d1']],
  test: [['test', ...at, 'pci:v1d1']],
  modprobe: [
    ['modprobe', '-d', WARM, '-S', '0', '-R', 'pci:v1d1'],
    ['modprobe', '-d', WARM, '-S', '0', '-C', `${WARM}/etc/modprobe.d`, '-D', 'a'],
  ],
  dkms: [
    ['dkms', 'status', '--root', WARM],
    ['dkms', '--version'],
  ],
  all: [['devices', ...at, '--sysfs', `${WARM}/sys`]],
};

/** A bundle of agent/cli.ts with only the command of this name; the launcher never asks it for others. */
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
    plugins: [netlinkBinding, lazyYaml, ...(part === 'all' ? [] : [onlyCommand(part)])],
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
      const own = "createRequire(import.meta.url)('yaml')";
      const text = readFileSync(path, 'utf8');
      if (!text.includes(own)) throw new Error(`${path}: it no longer loads the package by ${own}`);
      return { contents: text.replace(own, "require(__dirname + '/yaml.cjs')"), loader: 'ts' };
    });
  },
};

function onlyCommand(name) {
  return {
    name: 'only-command',
    setup: (hooks) => {
      hooks.onResolve({ filter: /^\.\// }, ({ path, kind, importer }) =>
        kind === 'dynamic-import' &&
        importer.endsWith('/agent/commands/command-table.ts') &&
        !path.endsWith(`/${name}.ts`)
          ? { path, namespace: 'absent' }
          : undefined,
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
for (const name of Object.keys(PARTS)) {
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
const head = `#!/bin/sh\n':' //; unset ${VARIABLES.join(' ')}; exec node "$0" "$@"\n`;
const launcher = readFileSync(join(root, 'agent/launch/launcher.cjs'), 'utf8').replace(
  '@PARTS@',
  JSON.stringify(parts),
);
writeFileSync(join(dist, 'plugd.cjs'), head + launcher);
chmodSync(join(dist, 'plugd.cjs'), 0o755);

const files = {
  'lib/modules/0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/0/modules.alias': 'alias pci:v*d[0-9]* a\nalias p?i:v1d1 b\n',
  'etc/modules-load.d/a.conf': 'a\n',
  'etc/modprobe.d/a.conf': 'blacklist x\noptions b c=1\n',
  'sys/devices/x/uevent': 'MODALIAS=pci:v1d1\n',
  'proc/cmdline': 'quiet a.b=1\n',
  // A machine on which root may load modules.
  'proc/7/comm': 'kworker/0:1-events\n',
  'proc/modules': 'c 4096 0 - Live 0x0\n',
  'proc/self/status': 'CapEff:\t000001ffffffffff\n',
  'proc/self/uid_map': '0 0 4294967295\n',
  'proc/sys/kernel/modules_disabled': '0\n',
  'proc/sys/kernel/modprobe': '/sbin/modprobe\n',
  'lib/modules/0/kernel/a.ko': '',
  'lib/modules/0/kernel/b.ko': '',
};
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(WARM, path)), { recursive: true });
  writeFileSync(join(WARM, path), text);
}
mkdirSync(join(WARM, 'sys/bus/pci/devices'), { recursive: true });
rmSync(join(WARM, 'sys/bus/pci/devices/x'), { force: true });
symlinkSync('../../../devices/x', join(WARM, 'sys/bus/pci/devices/x'));
let status = typed;
for (const runs of Object.values(PARTS)) {
  for (const args of runs) {
    const env = { PLUGD_CODE_CACHE: 'write', PLUGD_WARM_UP_RUN_DIR: `${WARM}/run` };
    const preload = ['--require', join(root, 'agent/launch/warm-up.cjs')];
    const ended = run(join(dist, 'plugd.cjs'), args, env, ['ignore', 'ignore', 'inherit'], preload);
    // 1 is an answer: the small tree's modules have no files.
    if (ended > 1) status ||= ended;
  }
}
process.exit(status);
