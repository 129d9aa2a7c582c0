/**
 * The frame of kmod's commands: exit statuses 0 and 1, messages on standard error in the form `NAME: LEVEL: text` (or in the system
 * log with -s), and a FATAL message that ends the command at once. Scripts parse these texts, so they stay kmod's byte for byte.
 */
import { addon } from '../../base/addon.ts';
import { PlugdError } from '../../base/error.ts';
import { VERSION } from '../../base/version.ts';
import { readable } from '../../report/terminal.ts';
import type { Command } from '../command.ts';
import { printBytes, sayBytes } from '../output.ts';
import { appletHelp, shownOptions, type AppletUsage } from './applet-help.ts';
import { parseLine } from './getopt.ts';

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

/** The kmod version whose behaviour the commands have. Scripts look for the second line of `-V`. */
export const KMOD_VERSION = 34;

/** Ends a command from inside. */
class Ended extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`ended with ${status}`);
    this.status = status;
  }
}

/** Where a command writes machine text; tests capture it. */
export interface AppletOutput {
  /** Standard output. Errors: `system` when it cannot be written. */
  print(text: string): void;
  /** Standard error. */
  say(text: string): void;
}

/** One command while it runs. */
export class Applet {
  readonly name: string;
  /** Messages above this level are hidden. */
  level: number = LEVEL.warning;
  /** Messages go to the system log. */
  syslog = false;
  /** The command changes something, so a failure to write its output does not decide its exit status. */
  acts = false;
  readonly #output: AppletOutput;
  #unwritten: PlugdError | undefined;

  constructor(name: string, output: AppletOutput = { print: printBytes, say: sayBytes }) {
    this.name = name;
    this.#output = output;
  }

  /**
   * Reads the command line. `take` gets each option in order, by its long name. A wrong line causes getopt's message and ends the command
   * with status 1; -h and -V end it at once; -s takes effect after the whole line. Returns the operands.
   */
  start(
    usage: AppletUsage,
    words: readonly string[],
    take: (name: string, argument: string) => void = () => {},
  ): readonly string[] {
    const parsed = parseLine(this.name, usage.options, words);
    if (parsed.kind === 'wrong') {
      this.#output.say(parsed.message);
      throw new Ended(1);
    }
    let syslog = false;
    for (const { name, argument } of parsed.options) {
      if (name === 'help') this.#show(appletHelp(usage));
      if (name === 'version')
        this.#show(`kmod version ${KMOD_VERSION} (plugd ${VERSION})\n+ZSTD +XZ +ZLIB +OPENSSL -MBEDTLS\n`);
      if (name === 'syslog') syslog = true;
      take(name, argument);
    }
    this.syslog = syslog;
    return parsed.operands;
  }

  #show(text: string): never {
    this.print(text);
    throw new Ended(0);
  }

  /**
   * Prints machine text. If it cannot be written, the command continues, and `run` complains at its end: a full log disk must not keep a
   * driver out.
   */
  print(text: string): void {
    if (this.#unwritten !== undefined) return;
    try {
      this.#output.print(asBytes(text));
    } catch (error) {
      if (!(error instanceof PlugdError)) throw error;
      this.#unwritten = error;
    }
  }

  /** Says `text` (latin1) if its level is shown. A fatal message that is shown ends the command with status 1. */
  log(level: number, text: string): void {
    if (level > this.level) return;
    const message = `${NAMES[level] ?? ''}: ${text}\n`;
    if (this.syslog) {
      const stamp = new Date().toString().replace(/^\w+ (\w+) (\d+) \d+ (\S+).*$/, '$1 $2 $3');
      // The addon sends UTF-8.
      addon().notify(SYSLOG_SOCKET, `<${LOG_DAEMON | level}>${stamp} ${this.name}: ${readable(message.trimEnd())}\n`);
    } else {
      this.#output.say(asBytes(`${this.name}: ${message}`));
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

  /** An error after which the command cannot go on: it ends with status 1. */
  fail(text: string): never {
    this.error(text);
    throw new Ended(1);
  }

  /** Runs the command's main part. Returns its status, the status that ended it early, or 1 when its output is lost. */
  async run(main: (applet: this) => Promise<number> | number): Promise<number> {
    let status: number;
    try {
      status = await main(this);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      status = error.status;
    }
    if (this.#unwritten === undefined) return status;
    this.error(this.#unwritten.message);
    return status === 0 && !this.acts ? 1 : status;
  }
}

/** Replacements for characters outside ASCII in plugd's own sentences: kmod's commands run in every locale. */
const ASCII: Readonly<Record<string, string>> = { '…': '...', '→': '->' };

/** Machine text mixed with plugd's own sentences, as machine text alone. */
function asBytes(text: string): string {
  return text.replaceAll(/[^\0-\xff]/gu, (one) => ASCII[one] ?? Buffer.from(one, 'utf8').toString('latin1'));
}

/** kmod's command with this usage, as a command of plugd. */
export function appletCommand(
  usage: AppletUsage,
  main: (applet: Applet, words: readonly string[]) => Promise<number> | number,
): Command {
  return {
    name: usage.name,
    usage: usage.forms.join('\n'),
    options: shownOptions(usage),
    run: async (words) => new Applet(usage.name).run((applet) => main(applet, words)),
  };
}
