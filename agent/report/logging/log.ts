/**
 * The agent's log: one JSON object a line, written before the call returns as far as its reader takes it, so that a crash loses no
 * line; what the reader does not take waits (line-queue.ts), and the caller does not. This file is pino's only door; it is imported
 * lazily, since pino costs other commands 10 ms that they have no use for.
 *
 *     {"level":"info","time":"2026-01-05T09:12:44.120Z","event":"inserted","module":"e1000e",
 *      "device":"/devices/pci0000:00/0000:00:02.0","modalias":"pci:v00008086d…","ms":41.2,"msg":"inserted e1000e"}
 *
 * journald gets each line as an entry with the same fields (journal-entry.ts). What it does not take at once goes to its other socket, the
 * one behind `fd`: there a line begins with its priority as `<6>` (sd-daemon(3)), which journald takes off again.
 */
import { fstatSync } from 'node:fs';
import { pino, symbols, type DestinationStream } from 'pino';
import { writeNowTo } from '../../base/write-now.ts';
import { pause } from '../../load/turns.ts';
import { journalDatagram, type JournalEntry } from './journal-entry.ts';
import { LineQueue } from './line-queue.ts';

/** How loud a line is; `debug` is not written unless asked for. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** syslog(3) priorities. */
const PRIORITY: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };
const PINO_LEVEL: Readonly<Record<number, LogLevel>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** Writes lines. */
export interface Log {
  /** One line. `fields` are JSON values in the order given; those that are undefined are left out. */
  line(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Whether `debug` lines are written: making one can cost more than the line. */
  readonly debugging: boolean;
}

/** A log that was opened. */
export interface OpenLog extends Log {
  /** Gives lines that wait for their reader a moment to go out. Whether all did. */
  close(): Promise<boolean>;
}

/** Where a log goes, and how loud it is. */
export interface LogOptions {
  /** An open descriptor: 1. */
  readonly fd: number;
  readonly level: LogLevel;
  /** Whether lines get journald's priority prefix. */
  readonly journald: boolean;
  /** Sends journald an entry without waiting; whether it took it. Left out, all lines go to `fd`. */
  readonly sendEntry?: ((datagram: string) => boolean) | undefined;
}

/** At the end: how many times to try to write, and how long to pause between them. */
const LAST_TRIES = 50;
const LAST_PAUSE_MS = 10;

/**
 * A log to `options.fd` that never waits for its reader. Lines that it does not take are kept up to 1 MiB; beyond that, and when the
 * reader has gone away or the disk is full, they are dropped, and a line with the event `log-dropped` says how many: an agent that
 * cannot log must still load drivers.
 */
export function openLog(options: LogOptions): OpenLog {
  const queue = new LineQueue({
    write: writeNowTo(options.fd),
    dropped: (count) =>
      log.line('warn', `${count} lines of this log are missing: its reader did not take them`, {
        event: 'log-dropped',
        count,
      }),
  });
  let fields: JournalEntry['fields'] = {};
  const sent = ({ priority, line }: PrioritizedLine): boolean =>
    options.sendEntry?.(journalDatagram({ priority, message: line.trimEnd(), fields })) === true;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.journald ? forJournal(sent, queue) : queue,
  );
  const log: OpenLog = {
    debugging: options.level === 'debug',
    line: (level, message, given = {}) => {
      fields = given;
      logger[level](given, message);
    },
    close: async () => {
      for (let tries = 0; tries < LAST_TRIES; tries++) {
        if (queue.flush()) return true;
        await pause(LAST_PAUSE_MS);
      }
      return queue.flush();
    },
  };
  // An exception that ends the process leaves no time to wait, but what can be written is.
  process.once('exit', () => queue.flush());
  return log;
}

/** A line with its line feed, and how urgent it is. */
interface PrioritizedLine {
  readonly priority: number;
  readonly line: string;
}

/** pino sets `lastLevel` on a stream that asks for it before each line. */
function forJournal(
  sent: (line: PrioritizedLine) => boolean,
  otherwise: Pick<DestinationStream, 'write'>,
): DestinationStream {
  const stream = {
    [symbols.needsMetadataGsym]: true as const,
    lastLevel: 30,
    write: (line: string) => {
      const priority = PRIORITY[PINO_LEVEL[stream.lastLevel] ?? 'info'];
      if (!sent({ priority, line })) otherwise.write(`<${priority}>${line}`);
    },
  };
  return stream;
}

/**
 * Whether `fd` is connected to journald: JOURNAL_STREAM (`8:1234`, device and inode) names it (systemd.exec(5)). False when
 * the variable is absent or was inherited for another descriptor.
 */
export function isJournal(fd: number, env: NodeJS.ProcessEnv): boolean {
  const named = /^(\d+):(\d+)$/.exec(env['JOURNAL_STREAM'] ?? '');
  if (named === null) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return dev === Number(named[1]) && ino === Number(named[2]);
  } catch {
    return false;
  }
}
