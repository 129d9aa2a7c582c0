/**
 * Module parameters from a command line, as the kernel takes them: joined by blanks. A value with a blank gets quotes unless it
 * has them (`["a=1", "b=x y", "c"]` → `a=1 b="x y" c`), because the shell has removed those that the user typed.
 */
export function joinParameters(words: readonly string[]): string {
  return words
    .map((word) => {
      const value = word.slice(word.indexOf('=') + 1);
      const needsQuotes = word.includes('=') && value.includes(' ') && !/^["']/.test(value);
      return needsQuotes ? `${word.slice(0, word.length - value.length)}"${value}"` : word;
    })
    .join(' ');
}
