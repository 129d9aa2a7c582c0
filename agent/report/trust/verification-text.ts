/** The words of `plugd verify`. Builds text only. */
import { counted } from '../../base/words.ts';
import {
  signerRows,
  type SignatureRow,
  type SignerRow,
  type TrustRow,
} from '../../explain/signatures/signature-row.ts';
import { table, wrapped, type Column } from '../layout.ts';
import { paint, readablePath, type Style, type Terminal } from '../terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'MODULES', right: true },
  { title: 'SIGNER', least: 12 },
  { title: 'KEY ID' },
  { title: 'KIND' },
  { title: 'VALID', right: true },
  { title: 'TRUSTED', least: 8 },
];
const STATES: Readonly<Record<SignatureRow['state'], readonly [Style, string]>> = {
  valid: ['green', 'valid'],
  tampered: ['red', 'tampered'],
  'unknown-key': ['yellow', 'not verified'],
  unsupported: ['yellow', 'not verified'],
  damaged: ['red', 'damaged signature'],
  unsigned: ['yellow', 'unsigned'],
  unreadable: ['red', 'no module'],
};
/** What is listed by name after the table, in this order. */
const LISTED: ReadonlyArray<readonly [SignatureRow['state'], string]> = [
  ['unsigned', 'unsigned'],
  ['tampered', 'changed after they were signed'],
  ['damaged', 'with a damaged signature'],
  ['unsupported', 'with a signature that plugd cannot verify'],
  ['unreadable', 'that cannot be read as a module'],
];
/** Enough of a key id to tell keys apart; signatureText and JSON have all of it. */
const KEY_DIGITS = 12;
/** The keyrings in a word each. */
const RINGS: Readonly<Record<string, string>> = {
  '.builtin_trusted_keys': 'built in',
  '.secondary_trusted_keys': 'secondary',
  '.machine': 'machine',
  '.platform': 'platform',
};
/** So many names are listed without -v. */
const MOST_NAMES = 20;

/** A few lines about one module. */
export function signatureText(
  { path, state, why, signature, certificate, trust }: SignatureRow,
  terminal: Terminal,
): string {
  const [style, word] = STATES[state];
  const trusted = state === 'valid' && trust !== undefined ? `; ${trustWords(trust)}` : '';
  const lines = [
    `${readablePath(path)}: ${paint(terminal, style, word)}${trusted}${why === undefined ? '' : `: ${why}`}`,
    ...(signature === undefined
      ? []
      : [
          `signed by ${signature.signer === '' ? 'a key without a name' : `'${readablePath(signature.signer)}'`}, ${signature.algorithm} with ${signature.hash}`,
          `key id ${signature.keyId}`,
        ]),
    ...(certificate === undefined ? [] : [`certificate of ${readablePath(certificate.place)}`]),
  ];
  return lines
    .flatMap((line, i) =>
      wrapped(line, terminal.width - 4).map((part, j) => (i + j === 0 ? `${part}\n` : `    ${part}\n`)),
    )
    .join('');
}

/** A table of signers, then the modules that are not signed well. */
export function verificationText(rows: readonly SignatureRow[], terminal: Terminal, verbose: boolean): string {
  const signers = signerRows(rows);
  const [title = '', ...lines] = table(COLUMNS, signers.map(cells), terminal.width);
  const parts = signers.length === 0 ? [] : [paint(terminal, 'bold', title), ...lines];
  for (const [state, words] of LISTED) {
    const names = rows.filter((row) => row.state === state).map(({ path }) => readablePath(path));
    if (names.length === 0) continue;
    const shown = verbose ? names : names.slice(0, MOST_NAMES);
    parts.push('', `${counted(names.length, 'module')} ${words}:`, ...shown.map((name) => `  ${name}`));
    if (shown.length < names.length) parts.push(`  and ${names.length - shown.length} more (-v shows all)`);
  }
  return parts.length === 0 ? 'no modules\n' : `${parts.join('\n').replace(/^\n/, '')}\n`;
}

function cells({ signer, keyId, hash, algorithm, modules, valid, trust }: SignerRow): readonly string[] {
  return [
    String(modules),
    signer === '' ? '-' : readablePath(signer),
    keyId.slice(0, KEY_DIGITS),
    `${algorithm} ${hash}`,
    valid === modules ? 'all' : String(valid),
    trust === undefined
      ? 'no certificate'
      : trust.ring === undefined
        ? trust.state === 'unknown'
          ? 'unknown'
          : 'no'
        : (RINGS[trust.ring] ?? trust.ring),
  ];
}

function trustWords({ state, ring, why }: TrustRow): string {
  if (state === 'trusted') return `its key is trusted (${ring})`;
  return state === 'untrusted' ? `its key is not trusted: ${why}` : `whether its key is trusted is not known: ${why}`;
}
