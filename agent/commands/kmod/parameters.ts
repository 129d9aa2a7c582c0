/**
 * Module parameters from a command line as the kernel takes them: joined by blanks; a value that holds a blank and is not
 * quoted already is put in quotes (`["a=1", "b=x y", "c"]` → `a=1 b="x y" c`). The shell has taken away the quotes that
 * were there.
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
