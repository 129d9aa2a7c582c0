/**
 * What kmod's commands have in common: exit statuses 0 and 1, messages on standard error in the form `NAME: LEVEL: text`
 * (or in the system log with -s), and a FATAL message that ends the command at once.
 */
import { addon } from '../../base/addon.ts';
import { VERSION } from '../../base/version.ts';
import { print, sayBytes } from '../output.ts';
import { parseLine, type LongOption } from './getopt.ts';

/** syslog(3)'s levels; a message is shown when its level is at most the command's. */
export const LEVEL = { emergency: 0, fatal: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
const NAMES: Readonly<Record<number, string>> = {
  2: 'FATAL',
  3: 'ERROR',
  4: 'WARNING',
  5: 'NOTICE',
  6: 'INFO',
  7: 'DEBUG',
};

/** Where syslogd listens, and its number for daemons. */
const SYSLOG_SOCKET = '/dev/log';
const LOG_DAEMON = 3 << 3;

/** The end of a command in its middle. */
class Ended extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`ended with ${status}`);
    this.status = status;
  }
}

/** One command while it runs. */
export class Applet {
  readonly name: string;
  /** The gravest level that is still hidden is one above this. */
  level: number = LEVEL.warning;
  /** Messages go to the system log. */
  syslog = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Says `text` (latin1) if its level is shown. A fatal message that is shown ends the command with status 1. */
  log(level: number, text: string): void {
    if (level > this.level) return;
    const message = `${NAMES[level] ?? ''}: ${text}\n`;
    if (this.syslog) {
      const stamp = new Date().toString().replace(/^\w+ (\w+) (\d+) \d+ (\S+).*$/, '$1 $2 $3');
      addon().notify(SYSLOG_SOCKET, `<${LOG_DAEMON | level}>${stamp} ${this.name}: ${message}`);
    } else {
      sayBytes(`${this.name}: ${message}`);
    }
    if (level <= LEVEL.fatal) throw new Ended(1);
  }

  fatal(text: string): void {
    this.log(LEVEL.fatal, text);
  }

  error(text: string): void {
    this.log(LEVEL.error, text);
  }

  warning(text: string): void {
    this.log(LEVEL.warning, text);
  }

  info(text: string): void {
    this.log(LEVEL.info, text);
  }

  /** The options and operands; a wrong command line gets getopt's own message and ends the command with status 1. */
  parse(table: readonly LongOption[], words: readonly string[]) {
    const parsed = parseLine(this.name, table, words);
    if (parsed.kind === 'parsed') return parsed;
    sayBytes(parsed.message);
    throw new Ended(1);
  }
}

/** Runs a command's main part; the status is its own, or that of what ended it. */
export async function runApplet(name: string, main: (applet: Applet) => Promise<number> | number): Promise<number> {
  try {
    return await main(new Applet(name));
  } catch (error) {
    if (error instanceof Ended) return error.status;
    throw error;
  }
}

/** The current kmod, whose behaviour the commands have. Scripts look for the second line. */
export const KMOD_VERSION = 34;

/** `-V`: a version line and a line of features, as kmod prints them. */
export function printVersion(): void {
  print(`kmod version ${KMOD_VERSION} (plugd ${VERSION})\n+ZSTD +XZ +ZLIB +OPENSSL -MBEDTLS\n`);
}
