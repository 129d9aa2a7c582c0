/** Where this package's own modules are, also for code that somebody else's bundler moved. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * The URL of a module of this package, to look for its files from. `own` is the caller's `import.meta.url`, which a CommonJS bundle of
 * another program does not have: then the installed package has the module, by its path in dist/agent/. Where there is no such
 * package either, the bundle's own file, beside which nothing of plugd is.
 *
 *     moduleUrl(import.meta.url, 'base/addon.js')   // 'file:///…/plugd/dist/agent/base/addon.js'
 */
export function moduleUrl(own: string | undefined, path: string): string {
  if (own !== undefined) return own;
  const bundle = pathToFileURL(typeof __filename === 'string' ? __filename : `${process.cwd()}/bundle.cjs`).href;
  try {
    const manifest = createRequire(bundle).resolve('plugd/package.json');
    return new URL(`dist/agent/${path}`, pathToFileURL(manifest)).href;
  } catch {
    return bundle;
  }
}

/**
 * Where the addon and the request helper are in the package, the first that is there: what was built where plugd is installed, or what the
 * package brings (`npm run build:prebuilt`).
 */
export const NATIVE_FOLDERS = ['native/build/Release', `native/prebuilt/linux-${process.arch}-gnu`] as const;
