/** Which of several commands and patches are for the kernel. Pure. */
import { elementsOf, valueOf, type ShellMatches, type ShellValues } from './shell/shell-values.ts';

/**
 * The build command: the last whose MAKE_MATCH fits the kernel, else MAKE[0] if it has no MAKE_MATCH; undefined when the default
 * is to be used. dkms looks no further than there are MAKE elements, so that MAKE[1] alone is never used; here it is.
 */
export function chosenMake(values: ShellValues, matches: ShellMatches): string | undefined {
  const fitting = elementsOf(values, 'MAKE').filter(([index]) => {
    const pattern = valueOf(values, 'MAKE_MATCH', index);
    return pattern === '' ? index === 0 : matches.get('MAKE_MATCH')?.get(index) === true;
  });
  return fitting.at(-1)?.[1];
}

/** The patches whose PATCH_MATCH fits the kernel, and those that have none, in order of their indexes. */
export function chosenPatches(values: ShellValues, matches: ShellMatches): readonly string[] {
  return elementsOf(values, 'PATCH')
    .filter(
      ([index]) => valueOf(values, 'PATCH_MATCH', index) === '' || matches.get('PATCH_MATCH')?.get(index) === true,
    )
    .map(([, patch]) => patch);
}
