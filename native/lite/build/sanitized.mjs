/**
 * The program for tests, linked to the machine's C library, with malloc's heap: sanitized.mjs PROGRAM ENTRY HEAP.C [plain]. ENTRY is its
 * script. AddressSanitizer watches all of it, and UndefinedBehaviorSanitizer plugd's own files; with `plain` nothing does, so that a test
 * can preload functions in place of the C library's. Exit status 2: it cannot be built here.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.mjs';
import { bytecodeCompiler, compileAll, ENGINE, engineObjects, filesBelow, root, run } from './compile.mjs';
import { Missing } from '../../recipes/build-tool.mjs';
import { sourceOf } from './sources.mjs';

const FLAGS = ['-fno-omit-frame-pointer', '-O1', '-g1', '-w', '-D_GNU_SOURCE', '-DPLUGD_BUILD="sanitized"'];
/** The engine relies on what compilers do beyond the standard: negating INT_MIN, for one. */
const [program, entry, heap, plain] = process.argv.slice(2);
const ENGINE_FLAGS = [...FLAGS, ...(plain === undefined ? ['-fsanitize=address'] : [])];
const OWN_FLAGS = [
  ...FLAGS,
  ...(plain === undefined ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'] : []),
];

async function make() {
  const engine = sourceOf('quickjs');
  const define = { 'import.meta.dirname': JSON.stringify(join(root, 'dist', dirname(entry))) };
  const script = await bundle(root, 'sanitized', 'sanitized', entry, define);
  const work = mkdtempSync(join(tmpdir(), 'plugd-lite-'));
  try {
    const version = ['-DCONFIG_VERSION="sanitized"', '-isystem', engine];
    const own = ENGINE.map((file) => join(engine, file));
    run(bytecodeCompiler(version, engine, own), [join(work, 'plugd.bytecode'), 'plugd'], { input: script });
    const host = [...filesBelow('native/lite/host'), ...filesBelow('native/core')].filter(
      (file) => file.endsWith('.c') && !/\/(engine|heap\/heap|heap\/copy)\.c$/.test(file),
    );
    const includes = [`-I${join(root, 'native')}`, `-I${join(root, 'native/lite/host')}`];
    const objects = [
      ...engineObjects('gcc', [join(root, 'native/lite/host/engine.c'), ...own], [...ENGINE_FLAGS, ...version]),
      ...compileAll('gcc', [...host, heap], [...OWN_FLAGS, ...version, ...includes], work),
    ];
    const bytecode = join(root, 'native/lite/host/bytecode.S');
    mkdirSync(dirname(program), { recursive: true });
    run('gcc', [...OWN_FLAGS, `-Wa,-I${work}`, ...objects, bytecode, '-lm', '-lpthread', '-o', program]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  await make();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(error.message);
  process.exit(2);
}
