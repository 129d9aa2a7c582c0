/** The words of `plugd keys`. Builds text only. */
import { counted } from '../../base/words.ts';
import type { KeyRow } from '../../explain/signatures/key-row.ts';
import { wrapped } from '../layout.ts';
import { paint, readablePath, type Terminal } from '../terminal.ts';

/** A paragraph for each key, those that vouch for modules first. */
export function keysText(rows: readonly KeyRow[], terminal: Terminal): string {
  if (rows.length === 0) return 'no keys can be seen here\n';
  return rows.map((row) => paragraph(row, terminal)).join('\n');
}

function paragraph(row: KeyRow, terminal: Terminal): string {
  const { trust, rings, places } = row;
  const trusted = trust.state === 'trusted';
  const verdict = trusted
    ? `trusted for modules (${trust.ring})`
    : trust.state === 'unknown'
      ? `whether it is trusted for modules is not known: ${trust.why}`
      : `not trusted for modules: ${trust.why}`;
  const lines = [
    paint(terminal, trusted ? 'green' : 'yellow', verdict),
    `id ${row.id}`,
    ...(row.fingerprint === undefined ? [] : [`${row.kind}, SHA-256 ${row.fingerprint}`]),
    ...(row.from === undefined || row.to === undefined ? [] : [`valid from ${day(row.from)} to ${day(row.to)}`]),
    ...(rings.length + places.length === 0 ? [] : [`in ${[...rings, ...places.map(readablePath)].join(', ')}`]),
    ...(row.modules === undefined
      ? []
      : [`signs ${row.modules === 0 ? 'no installed module' : counted(row.modules, 'installed module')}`]),
    ...(row.privateKey === undefined ? [] : [`its private key is here: ${row.privateKey}`]),
    ...(row.waits === undefined
      ? []
      : [row.waits === 'enroll' ? 'waits to be enrolled at the next boot' : 'is to be removed at the next boot']),
    ...(row.revokedBy === undefined
      ? []
      : [`revoked by ${row.revokedBy.join(' and ')}, which few kernels apply to modules`]),
  ];
  const name = row.subject === '' ? '(no name)' : readablePath(row.subject);
  return [
    paint(terminal, 'bold', name),
    ...lines.flatMap((line) => wrapped(line, terminal.width - 2).map((part) => `  ${part}`)),
    '',
  ].join('\n');
}

/** Of an ISO time. */
function day(time: string): string {
  return time.slice(0, time.indexOf('T'));
}
