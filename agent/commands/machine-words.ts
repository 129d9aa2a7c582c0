/** Arguments byte for byte, also those that are not UTF-8. Reads argv and /proc/self/cmdline only. */
import { readFileSync } from 'node:fs';
import { toMachineText } from '../base/machine-text.ts';

/**
 * The arguments of the command line as machine text: one character is one byte, as everywhere in plugd. Node decodes arguments as UTF-8
 * and loses bytes that are not; such arguments come from /proc/self/cmdline, where the kernel keeps them.
 */
export function machineWords(words: readonly string[]): readonly string[] {
  const raw = words.some((word) => word.includes('\ufffd')) ? rawWords() : undefined;
  return words.map((word) => {
    const latin1 = toMachineText(word);
    if (!word.includes('\ufffd')) return latin1;
    // The decoded forms show which of the raw arguments this one is.
    return raw?.find((bytes) => bytes.toString('utf8') === word)?.toString('latin1') ?? latin1;
  });
}

/** A path made absolute as in kmod, which resolves nothing in it. `../a.ko` → `/root/../a.ko`. */
export function absolute(path: string): string {
  return path.startsWith('/') ? path : `${process.cwd()}/${path}`;
}

function rawWords(): readonly Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync('/proc/self/cmdline');
  } catch {
    return [];
  }
  const words: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    words.push(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
  }
  return words;
}
