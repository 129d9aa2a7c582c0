/**
 * Builds what runs: the library and tests as ESM (tsc), the command line as one CJS bundle (esbuild) with a V8 code cache.
 * One file and a cache instead of some hundred ESM files take the start from 4 times a bare `node -e 0` to under 1.5 times.
 *
 * `--tolerant`: without the development dependencies (npm ci --omit=dev) there is nothing to build with; what the package
 * carries is used as it is.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'dist');

function run(file, args, env = {}) {
  const result = spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
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
run(tsc, ['-p', root]);

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
  // netlink finds its own addon from its own folder.
  external: ['netlink'],
  define: { 'import.meta.url': '__plugd_file' },
  legalComments: 'none',
  // The names stay readable in stack traces; only blanks go.
  minifyWhitespace: true,
});
const bundle = outputFiles[0].text;
const hash = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
for (const name of readdirSync(dist)) if (/^plugd\..*\.(cjs|cache)$/.test(name)) rmSync(join(dist, name));
writeFileSync(join(dist, `plugd.${hash}.cjs`), `(function(require,module,exports,__plugd_file){${bundle}\n})`);
const launcher = readFileSync(join(root, 'agent/launch/launcher.cjs'), 'utf8').replace('@HASH@', hash);
writeFileSync(join(dist, 'plugd.cjs'), launcher);
chmodSync(join(dist, 'plugd.cjs'), 0o755);
// A run of a usual command, so that the cache holds the functions that a start really uses.
run(join(dist, 'plugd.cjs'), ['--warm-up'], { PLUGD_CODE_CACHE: 'write' });
