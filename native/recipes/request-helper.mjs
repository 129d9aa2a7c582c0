/** Compiles the request helper (native/request-helper.c). */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../request-helper.c');
const COMMON = ['-Os', '-Wall', '-Wextra', '-Werror', '-fno-asynchronous-unwind-tables', '-s'];
const BARE = [
  '-static',
  '-nostdlib',
  '-nostartfiles',
  '-ffreestanding',
  '-fno-stack-protector',
  '-fno-tree-loop-distribute-patterns',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
];

/**
 * Compiles it to `target` for an architecture by Node's name; gives what the compiler said when nothing worked. Without a C library on machines
 * whose system calls the helper knows: that starts three times as fast. Otherwise static, and without a static C library as an ordinary
 * program.
 */
export function buildHelper(compiler, arch, target) {
  const attempts = [['-DWITH_LIBC', '-static'], ['-DWITH_LIBC']];
  if (['x64', 'arm64'].includes(arch)) attempts.unshift(BARE);
  const tried = [];
  for (const flags of attempts) {
    const built = spawnSync(compiler, [...COMMON, ...flags, '-o', target, source], { encoding: 'utf8' });
    if (built.status === 0) return undefined;
    tried.push(`${compiler} ${flags.join(' ')}: ${built.error?.message ?? built.stderr}`);
  }
  return tried.join('\n');
}
