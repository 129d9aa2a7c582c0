/** The words of `plugd keys`. Builds text only. */
import { counted } from '../../base/words.ts';
import type { KeyRow } from '../../explain/signatures/key-row.ts';
import { wrapped } from '../layout.ts';
import { paint, readablePath, type Terminal } from '../terminal.ts';

/** A paragraph for each key, those that vouch for modules first. `whole`: the kernel's own modules were counted, too. */
export function keysText(rows: readonly KeyRow[], whole: boolean, terminal: Terminal): string {
  if (rows.length === 0) return 'no keys can be seen here\n';
  const paragraphs = rows.map((row) => paragraph(row, whole, terminal)).join('\n');
  return whole ? paragraphs : `${paragraphs}\n${paint(terminal, 'dim', NOT_READ)}\n`;
}

const NOT_READ = "The kernel's image and its own modules were not read: plugd keys --all";

function paragraph(row: KeyRow, whole: boolean, terminal: Terminal): string {
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
    ...(row.modules === undefined || (row.modules === 0 && !whole)
      ? []
      : [`signs ${row.modules === 0 ? 'no installed module' : counted(row.modules, 'installed module')}${named(row)}`]),
    ...(row.privateKey === undefined ? [] : [`its private key is here: ${row.privateKey}`]),
    ...(row.waits === undefined
      ? []
      : [row.waits === 'enroll' ? 'waits to be enrolled at the next boot' : 'is to be removed at the next boot']),
    ...(row.revokedBy === undefined ? [] : [`revoked by ${row.revokedBy.join(' and ')}${revocationEffect(rings)}`]),
  ];
  const name = row.subject === '' ? '(no name)' : readablePath(row.subject);
  return [
    paint(terminal, 'bold', name),
    ...lines.flatMap((line) => wrapped(line, terminal.width - 2).map((part) => `  ${part}`)),
    '',
  ].join('\n');
}

/** Which of the modules that a key signs did not come with the kernel. */
function named({ modules, outOfTree = [] }: KeyRow): string {
  if (outOfTree.length === 0) return '';
  const names = outOfTree.slice(0, MOST_NAMES).map(readablePath);
  const rest = outOfTree.length - names.length;
  const list = [...names, ...(rest === 0 ? [] : [`${rest} more`])].join(', ');
  return outOfTree.length === modules ? `: ${list}` : `, of which not the kernel's own: ${list}`;
}

const MOST_NAMES = 8;

/** The kernel puts what it takes over from those lists into .blacklist. */
function revocationEffect(rings: readonly string[]): string {
  if (rings.includes('.blacklist')) return '';
  return rings.length === 0
    ? ', which few kernels apply to modules'
    : ', which this kernel does not apply to modules (CONFIG_SYSTEM_REVOCATION_LIST)';
}

/** Of an ISO time. */
function day(time: string): string {
  return time.slice(0, time.indexOf('T'));
}
