/**
 * Ordinary text (a path, a word of a person) as machine text, where one character is one byte: `é` → `Ã©`. Text of ASCII
 * only is itself.
 */
export function toMachineText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
