/** Compiling, and keeping what takes long. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Missing } from '../../recipes/build-tool.mjs';
import { cache, SOURCES } from './sources.mjs';

/** The project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The engine's files beside quickjs.c, which host/engine.c includes. */
export const ENGINE = ['libregexp.c', 'libunicode.c', 'cutils.c', 'dtoa.c'];

/** Runs a program to its end: what it wrote. Errors: `Missing` where it is not there. */
export function run(file, args, options = {}) {
  const ended = spawnSync(file, args, { encoding: 'utf8', ...options });
  if (ended.error !== undefined) throw new Missing(`${file} cannot be run: ${ended.error.message}.`);
  if (ended.status !== 0) throw new Error(`${file} ${args.join(' ')}\n${ended.stdout ?? ''}${ended.stderr ?? ''}`);
  return ended.stdout;
}

/** All files below a folder of the project, sorted. */
export function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** `/x/host/text.c` → `host-text.c.o`: two folders have a file of one name. */
function objectName(file) {
  return `${file.split('/').slice(-2).join('-')}.o`;
}

/** Each file into an object in `folder`: the objects. */
export function compileAll(cc, files, flags, folder) {
  return files.map((file) => {
    const object = join(folder, objectName(file));
    run(cc, [...flags, '-c', file, '-o', object]);
    return object;
  });
}

/** A folder of what `files` and `flags` decide, filled once: compiling the engine takes most of the time, so it is kept. */
function kept(name, files, flags, fill) {
  const hash = createHash('sha256').update(JSON.stringify([flags, SOURCES, process.arch]));
  for (const file of files) hash.update(readFileSync(file));
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const half = `${folder}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  fill(half);
  renameSync(half, folder);
  return folder;
}

/** The objects of the engine, kept. */
export function engineObjects(cc, files, flags) {
  const folder = kept('engine', files, [cc, ...flags], (half) => compileAll(cc, files, flags, half));
  return files.map((file) => join(folder, objectName(file)));
}

/** The program that compiles a script to bytecode on this machine, kept. */
export function bytecodeCompiler(version, engine, own) {
  const files = [join(root, 'native/lite/build/compile.c'), join(engine, 'quickjs.c'), ...own];
  const args = ['-O1', '-w', '-D_GNU_SOURCE', ...version, ...files, '-lm', '-lpthread'];
  return join(
    kept('compiler', files, args, (half) => run('cc', [...args, '-o', join(half, 'compile')])),
    'compile',
  );
}
