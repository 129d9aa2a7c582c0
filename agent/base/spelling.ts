/** Guesses at mistyped words, for "did you mean". Pure; nobody acts on a guess. */

/**
 * The word of `words` that a person who typed `word` meant: the only one that begins with it, or the nearest.
 *
 *     meantWord('dry', ['dry-run', 'json'])   // 'dry-run'
 *     meantWord('jsn', ['dry-run', 'json'])   // 'json'
 *
 * undefined when none is near.
 */
export function meantWord(word: string, words: readonly string[]): string | undefined {
  const longer = word.length < 2 ? [] : words.filter((each) => each.startsWith(word));
  return longer.length === 1 ? longer[0] : nearestWord(word, words);
}

/** The word of `words` that `word` was probably meant to be; undefined when none is near (an edit for each three characters). */
export function nearestWord(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and exchanges of neighbours that make `b` of `a` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
