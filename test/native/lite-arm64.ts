/**
 * plugd-lite for arm64 beside plugd on Node, on Debian's arm64 tree: names that its aliases match, and plans and answers of modprobe.
 *
 *     npm run oracle:lite-arm64
 *
 * It is built by Debian's cross compiler and run by QEMU's user emulation, with its heap copy and without. Exit status 1 if an answer differs,
 * or if a program is larger than it may be.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastComplaint, runProgram } from '../fixtures/commands.ts';
import { debianTree, type DebianTree } from '../fixtures/debian.ts';

const project = join(import.meta.dirname, '../../..');
const cli = join(import.meta.dirname, '../../agent/cli.js');
const BUILT = join(project, 'native/build/lite-arm64');

/** One call looks so many names up; each alias in so many gives one. */
const EACH = 12;
/** Bytes at most. */
const MOST: Readonly<Record<string, number>> = { 'plugd-lite': 3_000_000, 'plugd-lite-plain': 1_300_000 };
const MODULES = ['nvme', 'ext4', 'vc4', 'r8169', 'nosuch'];

/** Names that the tree's aliases match: `of:N*T*Cbrcm,bcm2711-pcie` → `of:NxTxCbrcm,bcm2711-pcie`. */
function namesOf({ root, kernel }: DebianTree): readonly string[] {
  const text = readFileSync(join(root, 'lib/modules', kernel, 'modules.alias'), 'latin1');
  const patterns = text.split('\n').flatMap((line) => /^alias (\S+) \S+$/.exec(line)?.[1] ?? []);
  return patterns
    .filter((pattern, i) => i % EACH === 0 && !pattern.includes('['))
    .map((pattern) => pattern.replaceAll('*', 'x').replaceAll('?', '1'));
}

async function main(): Promise<number> {
  const tree = await debianTree('arm64');
  const build = join(project, 'native/lite/build/build.mjs');
  const built = await runProgram(process.execPath, [build, '--quiet', '--arch', 'arm64']);
  if (tree.kind === 'missing' || built.status === 2) {
    console.log(tree.kind === 'missing' ? tree.sentence : lastComplaint(built));
    return 0;
  }
  if (built.status !== 0) throw new Error(built.stderr);
  const names = namesOf(tree);
  const at = ['-d', tree.root, '-S', tree.kernel];
  const lines = [
    ['lookup', '--root', tree.root, '--kernel', tree.kernel, '--json', ...names],
    ...MODULES.map((name) => ['modprobe', ...at, '-n', '-v', name]),
    ...names.slice(0, 3).map((name) => ['modprobe', ...at, '-R', name]),
  ];
  const emulate = process.arch === 'arm64' ? [] : ['qemu-aarch64-static'];
  let differences = 0;
  for (const line of lines) {
    const right = await runProgram(process.execPath, [cli, ...line]);
    for (const program of Object.keys(MOST)) {
      const [first = '', ...rest] = [...emulate, join(BUILT, program), ...line];
      const own = await runProgram(first, rest);
      if (own.status === right.status && own.stdout === right.stdout && own.stderr === right.stderr) continue;
      differences++;
      const words = line.filter((word) => !names.includes(word)).join(' ');
      console.log(`${program} ${words}: status ${own.status}, ${right.status} on Node\n${own.stderr}${right.stderr}`);
    }
  }
  for (const [program, most] of Object.entries(MOST)) {
    const { size } = statSync(join(BUILT, program));
    if (size > most) differences++;
    console.log(`${program}: ${size} bytes, at most ${most}`);
  }
  console.log(
    `Linux ${tree.kernel}: ${names.length} names, ${lines.length - 1} calls of modprobe; ${differences} differ`,
  );
  return differences === 0 ? 0 : 1;
}

process.exitCode = await main();
