/** plugd-lite's script: agent/'s commands for boot with native/lite in place of Node, as one file for the engine's compiler. */
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The commands, in no order of meaning. */
export const COMMANDS = ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo', 'lookup', 'test', 'coldplug'];

/** Files of the package that these commands read. */
const SHIPPED = ['rules/80-drivers.rules'];

/** Each module of Node's has a stand-in of its name; these have another file's place. */
const IN_PLACE_OF = {
  'agent/base/addon.ts': 'addon.ts',
  'agent/facts/config/shipped-file.ts': 'shipped-file.ts',
};

function standIns(root) {
  const lite = join(root, 'native/lite');
  return {
    name: 'stand-ins',
    setup: (hooks) => {
      hooks.onResolve({ filter: /^node:/ }, ({ path }) => ({
        path: join(lite, 'node', `${path.slice('node:'.length).replace('/', '-')}.ts`),
      }));
      hooks.onResolve({ filter: /^netlink\// }, () => ({ path: join(lite, 'netlink.ts') }));
      hooks.onLoad({ filter: /\/agent\/.*\.ts$/ }, ({ path }) => {
        const place = IN_PLACE_OF[path.slice(root.length + 1)];
        return place === undefined
          ? undefined
          : { contents: `export * from ${JSON.stringify(join(lite, place))};`, loader: 'ts' };
      });
    },
  };
}

/** A command that is not in the program is not looked for: main.ts takes its own out of the table. */
const onlyOwn = {
  name: 'only-own',
  setup: (hooks) => {
    hooks.onResolve({ filter: /^\.\// }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' &&
      importer.endsWith('/agent/commands/command-table.ts') &&
      !COMMANDS.some((name) => path.endsWith(`/${name}.ts`))
        ? { path, namespace: 'absent' }
        : undefined,
    );
    hooks.onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: 'export {};' }));
  },
};

/** The script's text; `engine` and `sum` are what --version tells. Tests give an entry of their own, and what it is made with. */
export async function bundle(root, engine, sum, entry = 'native/lite/main.ts', define = {}) {
  const shipped = Object.fromEntries(SHIPPED.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    target: 'es2023',
    format: 'iife',
    plugins: [standIns(root), onlyOwn],
    define: {
      'import.meta.url': '"file:///usr/lib/plugd/"',
      PLUGD_SHIPPED: JSON.stringify(shipped),
      PLUGD_ENGINE: JSON.stringify(engine),
      PLUGD_BUILD: JSON.stringify(sum),
      PLUGD_COMMANDS: JSON.stringify(JSON.stringify(COMMANDS)),
      ...define,
    },
    legalComments: 'none',
    minifyWhitespace: true,
    minifySyntax: true,
    // Each name of a variable is memory at every start. A defect's stack then tells its place in the bundle of that build only.
    minifyIdentifiers: true,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}
