import { fstatSync } from 'node:fs';
import { terminalOf, type Terminal } from '../report/terminal.ts';

/** What standard output goes to; `width` of a table is infinite where nothing may be cut. */
export interface OutTerminal extends Terminal {
  readonly tableWidth: number;
}

/** Asks process.stdout only when a terminal may be there: making that stream costs as much as a lookup. */
export function outTerminal(): OutTerminal {
  const stream: { readonly isTTY?: boolean; readonly columns?: number } = mayBeTerminal() ? process.stdout : {};
  return { ...terminalOf(stream, process.env), tableWidth: stream.isTTY === true ? (stream.columns ?? 80) : Infinity };
}

function mayBeTerminal(): boolean {
  try {
    const stat = fstatSync(1);
    // Major 1 are memory devices: /dev/null.
    return stat.isCharacterDevice() && stat.rdev >> 8 !== 1;
  } catch {
    return false;
  }
}
