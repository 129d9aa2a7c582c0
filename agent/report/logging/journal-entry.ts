/**
 * Entries for journald with fields of their own, by which `journalctl PLUGD_MODULE=e1000e` finds them. The protocol: one datagram for an
 * entry, `FIELD=value` a line (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
 */

/** Where journald listens for entries with fields. */
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** Values longer than this are cut; journald's message has them whole. */
const LONGEST_VALUE = 4096;

/** What an entry says. */
export interface JournalEntry {
  /** syslog(3): 3 for an error, 7 for debugging. */
  readonly priority: number;
  /** The line of the log, without its line feed. */
  readonly message: string;
  /** The line's fields; those that are undefined are left out. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The datagram of an entry: `journalDatagram({ priority: 6, message: '{…}', fields: { module: 'e1000e', waitMs: 3 } })` has the lines
 * `PLUGD_MODULE=e1000e` and `PLUGD_WAIT_MS=3`. Lists and objects are JSON. A line end inside a value would begin another field: it becomes
 * a blank.
 */
export function journalDatagram({ priority, message, fields }: JournalEntry): string {
  const lines = [`MESSAGE=${inLine(message)}`, `PRIORITY=${priority}`, 'SYSLOG_IDENTIFIER=plugd'];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    lines.push(`${fieldName(name)}=${inLine(text.slice(0, LONGEST_VALUE))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `askedBy` → `PLUGD_ASKED_BY`: journald takes capital letters, digits and underscores, at most 64 of them. */
function fieldName(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).replaceAll(/[^A-Za-z0-9_]/g, '_');
  return `PLUGD_${words.toUpperCase()}`.slice(0, 64);
}

function inLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
