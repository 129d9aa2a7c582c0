/**
 * Builds plugd-lite (`npm run build:lite`): native/build/lite/plugd-lite, plugd-lite-plain without the heap copy, and
 * the request helper, which belongs beside it. For arm64 from another machine they are in native/build/lite-arm64/. What is missing is said
 * in one sentence, and nothing else of plugd needs it.
 *
 *     node native/lite/build/build.mjs [--quiet] [--arch arm64]     exit status 2: it cannot be built here
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { bytecodeCompiler, compileAll, ENGINE, engineObjects, filesBelow, root, run } from './compile.mjs';
import { addHeap, reserveHeap } from './elf.mjs';
import { Missing } from '../../recipes/build-tool.mjs';
import { buildHelper } from '../../recipes/request-helper.mjs';
import { SOURCES, sourceOf } from './sources.mjs';
import { targetOf } from './target.mjs';
import { warmTree } from './warm-tree.mjs';

const { values } = parseArgs({
  options: { quiet: { type: 'boolean', default: false }, arch: { type: 'string', default: process.arch } },
});
/** The same on every machine: some of its names stay in the heap's copy. */
const TREE = '/tmp/plugd-lite-warm-tree';

const COMMON = ['-Os', '-g0', '-fno-asynchronous-unwind-tables', '-ffunction-sections', '-fdata-sections'];
const STATIC = [
  '-static',
  '-no-pie',
  '-Wl,--gc-sections',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
  '-Wl,-z,norelro',
  '-s',
];
const STRICT = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-std=gnu11'];

/** A sum of all that goes into the program, in 16 digits: two builds of the same are one. */
function sumOf(script) {
  const hash = createHash('sha256')
    .update(script)
    .update(JSON.stringify([SOURCES, COMMON, STATIC, values.arch]));
  for (const file of [
    join(root, 'native/request-helper.c'),
    join(root, 'native/recipes/request-helper.mjs'),
    ...filesBelow('native/core'),
    ...filesBelow('native/lite/host'),
    ...filesBelow('native/lite/build'),
  ])
    hash.update(relative(root, file)).update('\0').update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

async function make() {
  const { folder, cc, headersCc, compile, link, runner } = targetOf(values.arch);
  const engine = sourceOf('quickjs');
  const out = join(root, 'native/build', folder);
  const name = `QuickJS ${readFileSync(join(engine, 'VERSION'), 'utf8').trim()}`;
  const script = await bundle(root, name, '@BUILD@');
  const sum = sumOf(script);
  mkdirSync(out, { recursive: true });
  const stamp = join(out, 'stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sum) return 'as it is';
  const work = mkdtempSync(join(tmpdir(), 'plugd-lite-'));
  try {
    const version = [`-DCONFIG_VERSION="${name}"`, '-isystem', engine];
    const own = ENGINE.map((file) => join(engine, file));
    const compiler = bytecodeCompiler(version, engine, own);
    run(compiler, [join(work, 'plugd.bytecode'), 'plugd'], { input: script.replace('@BUILD@', sum) });
    const host = filesBelow('native/lite/host').filter((file) => file.endsWith('.c') && !file.endsWith('/engine.c'));
    const includes = [`-I${join(root, 'native')}`, `-I${join(root, 'native/lite/host')}`, `-DPLUGD_BUILD="${sum}"`];
    const objects = [
      ...engineObjects(
        cc,
        [join(root, 'native/lite/host/engine.c'), ...own],
        [...COMMON, ...compile, '-w', '-D_GNU_SOURCE', ...version],
      ),
      ...compileAll(
        cc,
        [...host, ...filesBelow('native/core').filter((file) => file.endsWith('.c'))],
        [...COMMON, ...compile, ...STRICT, ...version, ...includes],
        work,
      ),
    ];
    const bytecode = join(work, 'bytecode.o');
    run(cc, ['-c', `-Wa,-I${work}`, join(root, 'native/lite/host/bytecode.S'), '-o', bytecode]);
    const plain = join(out, 'plugd-lite-plain');
    const places = join(root, 'native/lite/host/heap/heap.ld');
    run(cc, [...STATIC, '-T', places, ...link([...objects, bytecode]), '-o', plain]);
    reserveHeap(plain);
    chmodSync(plain, 0o755);
    const [heap, layout] = [join(work, 'heap'), join(work, 'layout')];
    const lines = warmTree(TREE);
    const [first, ...rest] = [...runner, plain];
    const ask = (...words) => run(first, [...rest, ...words, ...lines], { cwd: '/', env: {} });
    try {
      ask('--observe-heap', layout);
      try {
        ask('--make-heap-copy', heap, layout);
      } catch {
        // Something on this machine changed the order between the two: a copy in plain order is slower and as right.
        ask('--make-heap-copy', heap, '/dev/null');
      }
    } finally {
      rmSync(TREE, { recursive: true });
    }
    addHeap(plain, heap, join(out, 'plugd-lite'));
    const complaint = buildHelper(headersCc, values.arch, join(out, 'plugd-request'));
    if (complaint !== undefined) throw new Missing(complaint);
    writeFileSync(stamp, sum);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return `built: ${relative(process.cwd(), join(out, 'plugd-lite'))}`;
}

try {
  const how = await make();
  if (!values.quiet) console.log(`plugd-lite: ${how}`);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`plugd-lite cannot be built here: ${error.message}`);
  process.exit(2);
}
