/** Small phrases that every room uses. Pure. */
import { toMachineText } from './machine-text.ts';
import type { Place } from './names.ts';

/**
 * `/etc/modprobe.d/a.conf:3`, as machine text, which reasons are; the kernel command line has one line only: `/proc/cmdline`. report/
 * makes it readable.
 */
export function placeText({ file, line }: Place): string {
  const text = toMachineText(file);
  return file.endsWith('/cmdline') || line === 0 ? text : `${text}:${line}`;
}

/** Text in single quotes. */
export function quoted(text: string): string {
  return `'${text}'`;
}

/** `1 device`, `2 devices`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `a, b and c`; '' for none. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
