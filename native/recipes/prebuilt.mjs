/**
 * Builds the addon and the request helper that a package brings, so that where it is installed no compiler is needed:
 *
 *     npm run build:prebuilt [-- x64 arm64]     → native/prebuilt/linux-x64-gnu/{plugd.node,plugd-request}, …; then npm pack
 *
 * Each loads into any Node that has Node-API 8, on a C library as old as this machine's or newer; the C++ library is inside. As root it
 * installs the compilers that are missing; otherwise it names them. native/build.mjs builds where a package brings nothing that fits, as on
 * musl: Debian's musl-tools compile C, and the archive has no C++ library for musl, which the addon and node-addon-api need.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { argv, env, execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { ADDON_SOURCES } from './addon-sources.mjs';
import { Missing, need } from './build-tool.mjs';
import { buildHelper } from './request-helper.mjs';

/** native/ */
const here = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Debian's compilers by Node's name of the architecture. */
const TARGETS = {
  x64: { triplet: 'x86_64-linux-gnu', name: 'g++-x86-64-linux-gnu' },
  arm64: { triplet: 'aarch64-linux-gnu', name: 'g++-aarch64-linux-gnu' },
};

function run(file, args) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return { status, text: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

/** The compilers for an architecture. Errors: Missing. */
function compilers(arch) {
  const target = TARGETS[arch];
  if (arch.endsWith('-musl'))
    throw new Missing(
      `nothing is built for ${arch}: Debian has no C++ library for musl. There the addon is built where it is installed (Alpine: apk add g++ make python3).`,
    );
  if (target === undefined)
    throw new Missing(`nothing is built for ${arch}, only for ${Object.keys(TARGETS).join(', ')}.`);
  return { cc: `${target.triplet}-gcc`, cxx: need(`${target.triplet}-g++`, target.name) };
}

/** The folder of node_api.h: Node's own, or the one that npm was told. */
function nodeHeaders() {
  const prefixes = [env.npm_config_nodedir, resolve(dirname(execPath), '..'), '/usr'].filter(Boolean);
  const found = prefixes.map((prefix) => join(prefix, 'include/node')).find((path) => existsSync(`${path}/node_api.h`));
  if (found === undefined)
    throw new Missing('node_api.h was not found beside node (Debian: apt-get install libnode-dev).');
  return found;
}

/** The flags of binding.gyp, so that they stand in one place. */
function flags() {
  const text = readFileSync(join(here, 'binding.gyp'), 'utf8');
  const words = (key) => JSON.parse(new RegExp(`"${key}": (\\[[^\\]]*\\])`).exec(text)?.[1] ?? '[]');
  return { defines: words('defines'), cc: words('cflags_c'), cxx: words('cflags_cc') };
}

function build(arch) {
  const { cc, cxx } = compilers(arch);
  const words = flags();
  const folder = mkdtempSync(join(tmpdir(), 'plugd-prebuilt-'));
  try {
    // Its path is one from the working directory.
    const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
    const common = ['-fPIC', '-c', ...words.defines.map((name) => `-D${name}`), '-I', here];
    const headers = ['-isystem', nodeHeaders(), '-isystem', resolve(addonApi)];
    const objects = ADDON_SOURCES.map((source) => {
      const object = join(folder, `${source.replaceAll('/', '.')}.o`);
      const isC = source.endsWith('.c');
      const args = [...common, ...headers, ...(isC ? words.cc : words.cxx), '-o', object, join(here, source)];
      const { status, text } = run(isC ? cc : cxx, args);
      if (status !== 0) throw new Error(`${source} does not compile for ${arch}:\n${text}`);
      return object;
    });
    const half = join(folder, 'half');
    mkdirSync(half);
    const link = ['-shared', '-s', '-static-libstdc++', '-static-libgcc', '-Wl,--build-id=none', '-Wl,--gc-sections'];
    const linked = run(cxx, [...link, '-o', join(half, 'plugd.node'), ...objects, '-ldl']);
    if (linked.status !== 0) throw new Error(`the addon does not link for ${arch}:\n${linked.text}`);
    const complaint = buildHelper(cc, arch, join(half, 'plugd-request'));
    if (complaint !== undefined) throw new Error(`the request helper does not compile for ${arch}:\n${complaint}`);
    const target = join(here, `prebuilt/linux-${arch}-gnu`);
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(half)) {
      const beside = join(target, `.${name}`);
      // Not a rename at once: the temporary folder may be on another file system.
      copyFileSync(join(half, name), beside);
      renameSync(beside, join(target, name));
    }
    console.log(`native/prebuilt/linux-${arch}-gnu`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const wanted = argv.slice(2);
let failed = false;
for (const arch of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
  try {
    build(arch);
  } catch (error) {
    failed = true;
    console.error(`plugd: ${error.message}`);
  }
}
exit(failed ? 1 : 0);
