/** The middle of a list; the mean of the two middle ones of an even one. NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return (low + high) / 2;
}

/** Median, least and most of the pairwise ratios a[i] / b[i]: figures of one moment are compared, so a slow machine cancels out. */
export function ratios(
  a: readonly number[],
  b: readonly number[],
): { readonly median: number; readonly least: number; readonly most: number } {
  const each = a.map((value, i) => value / (b[i] ?? Number.NaN));
  return { median: median(each), least: Math.min(...each), most: Math.max(...each) };
}

/** `0.58 (0.55 to 0.63)`. */
export function ratioText(ratio: { readonly median: number; readonly least: number; readonly most: number }): string {
  return `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`;
}
