/**
 * Builds what runs: the library and tests as ESM (tsc), the command line as one CJS bundle (esbuild) with a V8 code cache.
 * One file and a cache instead of some hundred ESM files take the start from 4 times a bare `node -e 0` to under 1.5 times.
 *
 * `--tolerant`: without the development dependencies (npm ci --omit=dev) there is nothing to build with; what the package
 * carries is used as it is.
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

function run(file, args, env = {}, stdio = 'inherit') {
  return (
    spawnSync(process.execPath, [file, ...args], { cwd: root, stdio, env: { ...process.env, ...env } }).status ?? 1
  );
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
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['agent/cli.ts'],
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // import() inside a vm.Script needs a loader; require() does not.
  supported: { 'dynamic-import': false },
  plugins: [
    {
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
    },
  ],
  define: { 'import.meta.url': '__plugd_file' },
  legalComments: 'none',
  // The names stay readable in stack traces; only blanks go.
  minifyWhitespace: true,
});
const bundle = outputFiles[0].text;
const hash = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
for (const name of readdirSync(dist)) if (/^plugd\..*\.(cjs|cache)$/.test(name)) rmSync(join(dist, name));
writeFileSync(
  join(dist, `plugd.${hash}.cjs`),
  `(function(require,module,exports,__plugd_file,__dirname){${bundle}\n})`,
);
const launcher = readFileSync(join(root, 'agent/launch/launcher.cjs'), 'utf8').replaceAll('@HASH@', hash);
writeFileSync(join(dist, 'plugd.cjs'), launcher);
chmodSync(join(dist, 'plugd.cjs'), 0o755);
// A run of usual commands on a small tree, so that the cache holds the functions that a start really uses.
const warm = join(dist, 'warm-up');
const files = {
  'lib/modules/0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/0/modules.alias': 'alias pci:v*d[0-9]* a\nalias p?i:v1d1 b\n',
  'etc/modprobe.d/a.conf': 'blacklist x\noptions b c=1\n',
  'sys/devices/x/uevent': 'MODALIAS=pci:v1d1\n',
  'proc/cmdline': 'quiet a.b=1\n',
};
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(warm, path)), { recursive: true });
  writeFileSync(join(warm, path), text);
}
mkdirSync(join(warm, 'sys/bus/pci/devices'), { recursive: true });
rmSync(join(warm, 'sys/bus/pci/devices/x'), { force: true });
symlinkSync('../../../devices/x', join(warm, 'sys/bus/pci/devices/x'));
const warmed = run(join(dist, 'plugd.cjs'), ['--warm-up', warm], { PLUGD_CODE_CACHE: 'write' }, [
  'ignore',
  'ignore',
  'inherit',
]);
process.exit(typed || warmed);
