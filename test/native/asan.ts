/**
 * The addon's tests with AddressSanitizer and UndefinedBehaviorSanitizer: out-of-bounds and late accesses to memory, leaks, overflow.
 *
 *     npm run test:asan
 *
 * Builds the addon in a tree of its own, native/build/asan, whose compiled tests find it as they find the ordinary one. Where gcc has
 * no sanitizers it says so and ends with status 0. Node itself is not instrumented, and its own leaks at the end do not count: a leak
 * counts if plugd.node is in its stack.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const tree = join(root, 'native/build/asan');
const logs = join(tree, 'logs');

/** -O0 halves the build, and keeps what an optimizer would remove. vptr checks need RTTI, which Node does not have. */
const FLAGS =
  '-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -O0';

/** The tests that run native code, most of it. */
const TESTS = ['native/addon.test.js', 'facts/modfiles/module-file.test.js', 'facts/modfiles/module-parts.test.js'];

/** The library to preload, or why there is none. */
function findSanitizer():
  | { readonly kind: 'found'; readonly library: string }
  | { readonly kind: 'none'; readonly why: string } {
  const compiler = process.env['CC'] ?? 'gcc';
  const source = join(tree, 'try.c');
  writeFileSync(source, 'int main(void) { return 0; }\n');
  const tried = spawnSync(compiler, [...FLAGS.split(' '), '-o', join(tree, 'try'), source], { encoding: 'utf8' });
  if (tried.status !== 0) return { kind: 'none', why: `${compiler} has no AddressSanitizer and UBSan here` };
  const library = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
  // clang links its runtime statically into programs, and a module of Node cannot bring it along.
  if (!library.startsWith('/')) return { kind: 'none', why: `${compiler} has no libasan.so to preload` };
  return { kind: 'found', library };
}

/** The addon in `tree`, and a copy of what runs it: ES modules find their neighbours by their real paths, so links will not do. */
function build(): void {
  const native = join(tree, 'native');
  mkdirSync(native);
  for (const name of readdirSync(join(root, 'native'))) {
    if (name !== 'build') cpSync(join(root, 'native', name), join(native, name), { recursive: true });
  }
  const env = { ...process.env, CFLAGS: FLAGS, CXXFLAGS: FLAGS, LDFLAGS: '-fsanitize=address,undefined' };
  const built = spawnSync(process.execPath, [join(native, 'build.mjs')], { env, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the addon did not build with sanitizers');
  for (const folder of ['agent', 'test'])
    cpSync(join(root, 'dist', folder), join(tree, 'dist', folder), { recursive: true });
  cpSync(join(root, 'package.json'), join(tree, 'package.json'));
  for (const name of ['agent', 'test', 'node_modules']) symlinkSync(join(root, name), join(tree, name));
}

/** Programs that a test starts run without the sanitizer; only a Node that loads the addon needs it (ASAN_LIBRARY). */
const PREPARE = `data:text/javascript,${encodeURIComponent(
  `process.env.ASAN_LIBRARY = process.env.LD_PRELOAD; delete process.env.LD_PRELOAD;
   process.env.ASAN_OPTIONS = process.env.ASAN_OPTIONS.replace('detect_leaks=1', 'detect_leaks=0');`,
)}`;

/** Runs one test file; true when it passed and its memory was in order. */
function run(file: string, library: string): boolean {
  const child = spawnSync(process.execPath, ['--import', PREPARE, join(tree, 'dist/test', file)], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LD_PRELOAD: library,
      TAP_TIMEOUT: '600',
      ASAN_OPTIONS: `detect_leaks=1:halt_on_error=1:exitcode=99:quarantine_size_mb=16:log_path=${join(logs, 'asan')}`,
      LSAN_OPTIONS: 'exitcode=0',
      UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(logs, 'ubsan')}`,
    },
  });
  const passed = child.status === 0 && child.stdout.includes('\nok 1') && !/^ *not ok/m.test(child.stdout);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${file}  ${child.stdout.match(/^ +ok \d/gm)?.length ?? 0} passed`);
  if (!passed) process.stdout.write(`${child.stdout}${child.stderr}`);
  return passed;
}

/** What the sanitizers reported about our code: every error, and the leaks that the addon has a part in. */
function reports(): readonly string[] {
  return readdirSync(logs).flatMap((name) => {
    const text = readFileSync(join(logs, name), 'utf8');
    if (!text.includes('LeakSanitizer')) return [text];
    return text
      .split(/\n(?=(?:Direct|Indirect) leak)/)
      .filter((leak) => /^(Direct|Indirect) leak/.test(leak) && leak.includes('plugd.node'));
  });
}

rmSync(tree, { recursive: true, force: true });
mkdirSync(logs, { recursive: true });
const sanitizer = findSanitizer();
if (sanitizer.kind === 'none') {
  console.log(`skipped: ${sanitizer.why} (Debian: apt-get install gcc libc6-dev)`);
} else {
  build();
  const failed = TESTS.filter((file) => !run(file, sanitizer.library));
  const found = reports();
  for (const text of found) console.log(text);
  console.log(
    `${TESTS.length - failed.length} passed, ${failed.length} failed, ${found.length} reports of the sanitizers`,
  );
  process.exitCode = failed.length + found.length > 0 ? 1 : 0;
}
