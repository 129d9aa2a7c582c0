/**
 * tap as one file, in dist/node_modules, where the compiled tests find it before the package. tap consists of hundreds of modules: loading them
 * takes each of hundreds of test files half a second of processor time. A test that is run by hand without it uses the package.
 */
import { build } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of CommonJS that a bundle of ECMAScript modules lacks. */
const BANNER = `import { createRequire as plugdCreateRequire } from 'node:module';
import { fileURLToPath as plugdPath } from 'node:url';
const require = plugdCreateRequire(import.meta.url), __filename = plugdPath(import.meta.url), __dirname = plugdPath(new URL('.', import.meta.url));`;

/** Makes the bundle below `root`, unless there is one of the installed tap. */
export async function bundleTap(root: string): Promise<void> {
  const folder = join(root, 'dist/node_modules/tap');
  const manifest = join(folder, 'package.json');
  const version = versionIn(join(root, 'node_modules/tap/package.json'));
  if (existsSync(manifest) && versionIn(manifest) === version) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, 'node_modules/tap/dist/esm/index.js')],
    outfile: join(folder, 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['typescript', 'esbuild'],
    banner: { js: BANNER },
    logLevel: 'error',
  });
  // The last file: a bundle that was not finished has none, and is made again.
  writeFileSync(manifest, JSON.stringify({ name: 'tap', version, type: 'module', exports: './index.js' }));
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
