/** The line for a problem. Builds text only. */
import { problemText, type Problem } from '../base/problem.ts';
import { readable } from './terminal.ts';

/** A problem for a person or a log: `/etc/modprobe.d/a.conf:3:9: 'blaklist' is not a directive; …`. */
export function problemLine(problem: Problem): string {
  return readable(problemText(problem));
}
