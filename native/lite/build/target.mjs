/**
 * The machines that plugd-lite can be built for: this one, by musl's compiler, or arm64 from elsewhere, by Debian's cross compiler with the
 * C library of Debian's arm64 and with QEMU's user emulation, which makes the heap copy.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Missing, need } from '../../recipes/build-tool.mjs';
import { packageOf } from './sources.mjs';

function output(file, args) {
  return (spawnSync(file, args, { encoding: 'utf8' }).stdout ?? '').trim();
}

function native() {
  const cc = process.env.PLUGD_LITE_CC ?? need('musl-gcc', 'musl-tools');
  return {
    folder: 'lite',
    cc,
    headersCc: 'cc',
    compile: [],
    link: (objects) => [...objects, '-lm', '-lpthread'],
    runner: [],
  };
}

function arm64() {
  const cc = need('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
  const musl = packageOf('musl-dev', 'arm64');
  const library = join(musl, 'usr/lib/aarch64-linux-musl');
  const start = (name) => join(library, name);
  return {
    folder: 'lite-arm64',
    cc,
    headersCc: cc,
    compile: [
      '-nostdinc',
      '-isystem',
      join(musl, 'usr/include/aarch64-linux-musl'),
      '-isystem',
      output(cc, ['-print-file-name=include']),
      // Its functions ask the C library for what only glibc has.
      '-mno-outline-atomics',
    ],
    link: (objects) => [
      '-nostdlib',
      `-L${library}`,
      start('crt1.o'),
      start('crti.o'),
      ...objects,
      '-Wl,--start-group',
      '-lc',
      '-lgcc',
      '-Wl,--end-group',
      start('crtn.o'),
    ],
    runner: process.arch === 'arm64' ? [] : [need('qemu-aarch64-static', 'qemu-user-static')],
  };
}

/**
 * How to build for a machine: below native/build/, the compiler, one that has the kernel's headers, the former's words for each file and
 * for all, and what runs the program.
 */
export function targetOf(architecture) {
  if (architecture === process.arch) return native();
  if (architecture === 'arm64') return arm64();
  throw new Missing(`it is not built for ${architecture} on ${process.arch}.`);
}
