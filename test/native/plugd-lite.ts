/** plugd-lite, built once where the engine's source can be had: the tests that judge plugd judge it, too. */
import { join } from 'node:path';
import { lastComplaint, runProgram } from '../fixtures/commands.ts';
import { withLock } from '../fixtures/cache.ts';

const project = join(import.meta.dirname, '../../..');

/** It cannot be had; the sentence says why, for the reason of a skipped test. */
export interface NoLite {
  readonly kind: 'missing';
  readonly sentence: string;
}

/** The program with its heap copy, and the one without. */
export interface Lite {
  readonly kind: 'ready';
  readonly program: string;
  readonly plain: string;
  /** The program that the kernel runs while a coldplug serves its requests. */
  readonly helper: string;
}

let built: Promise<Lite | NoLite> | undefined;

async function build(): Promise<Lite | NoLite> {
  const ended = await withLock('lite', async () =>
    runProgram(process.execPath, [join(project, 'native/lite/build/build.mjs'), '--quiet']),
  );
  if (ended.status === 2) return { kind: 'missing', sentence: lastComplaint(ended) };
  if (ended.status !== 0) throw new Error(ended.stderr);
  const folder = join(project, 'native/build/lite');
  const [program, plain, helper] = ['plugd-lite', 'plugd-lite-plain', 'plugd-request'].map((name) =>
    join(folder, name),
  );
  return { kind: 'ready', program: program ?? '', plain: plain ?? '', helper: helper ?? '' };
}

/** Builds it if need be (`npm run build:lite`). */
export async function plugdLite(): Promise<Lite | NoLite> {
  return (built ??= build());
}

/** plugd-lite linked to the machine's C library, so that a test can preload functions in its place; it has no heap copy. */
export async function linkedLite(): Promise<{ readonly kind: 'ready'; readonly program: string } | NoLite> {
  const program = join(project, 'native/build/lite-linked/plugd-lite');
  const words = [program, 'native/lite/main.ts', join(project, 'test/fuzz/lite/heap.c'), 'plain'];
  const ended = await withLock('lite', async () =>
    runProgram(process.execPath, [join(project, 'native/lite/build/sanitized.mjs'), ...words]),
  );
  if (ended.status === 2) return { kind: 'missing', sentence: lastComplaint(ended) };
  if (ended.status !== 0) throw new Error(ended.stderr);
  return { kind: 'ready', program };
}

/** A program that is judged: its name for messages, and the words that a command's name comes after. */
export interface Judged {
  readonly name: string;
  readonly words: readonly string[];
}

/**
 * plugd on Node, begun by these words, and plugd-lite; the latter is left out, with the reason, where it cannot be had:
 * `for (const { name, words } of await judgedPrograms([process.execPath, cli], t.comment))`.
 */
export async function judgedPrograms(
  node: readonly string[],
  comment: (text: string) => void,
): Promise<readonly Judged[]> {
  const lite = await plugdLite();
  if (lite.kind === 'missing') comment(`plugd-lite is not judged: ${lite.sentence}`);
  return [
    { name: 'plugd', words: node },
    ...(lite.kind === 'ready' ? [{ name: 'plugd-lite', words: [lite.program] }] : []),
  ];
}
