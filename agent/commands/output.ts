/**
 * The only writer to standard output and standard error. `print` and `say` write text for people and let no control character pass
 * that a terminal would obey; `printJson` and `printData` write data for programs; `printBytes` and `sayBytes` write machine text,
 * with its bytes as they are in a pipe or file, and escaped on a terminal, as ls does.
 */
import { fstatSync, writeSync } from 'node:fs';
import { block, whenReady } from '../base/blocking.ts';
import { CLOCK } from '../base/clock.ts';
import { ERRNO } from '../base/errno.ts';
import { fsCode, PlugdError, reason } from '../base/error.ts';
import { writeNowTo, type WriteNow } from '../base/write-now.ts';
import { folded } from '../report/layout.ts';
import { LongWork } from '../report/long-work.ts';
import { printable, readable, terminalOf, type Terminal } from '../report/terminal.ts';

/**
 * Writes to a descriptor at once and completely. process.stdout costs 2 ms to make and, on a pipe, loses unwritten data at exit; one
 * write(2) has neither fault. When the reader of standard output is gone, the process ends quietly, as SIGPIPE would end it. Messages
 * that cannot be written are lost: there is nowhere left to report it. Errors: `system`, standard output only.
 */
function write(fd: 1 | 2, data: Buffer): void {
  longWork?.over();
  if (fd === 2 && sayNow !== undefined) {
    writeInTime(sayNow, data);
    return;
  }
  try {
    for (let from = 0; from < data.length;) from += whenReady(() => writeSync(fd, data, from));
  } catch (error) {
    if (fd === 2) return;
    if (fsCode(error) === 'EPIPE') process.exit(141);
    throw new PlugdError('system', reason(error), { file: 'standard output', cause: error });
  }
}

/** Set once messages may not wait. */
let sayNow: WriteNow | undefined;
/** How many times to try to write messages, and how long to pause between them. */
const MOST_TRIES = 50;
const TRY_MS = 10;

/**
 * From now on messages wait half a second for their reader and are lost then: an agent that must end, so that the next one can
 * begin, ends although nobody reads why. `fd`: where they go; a daemon that starts has its starter's standard error elsewhere.
 */
export function sayInTime(fd = 2): void {
  sayNow = writeNowTo(fd);
}

function writeInTime(writeNow: WriteNow, data: Buffer): void {
  let from = 0;
  for (let tries = 0; from < data.length && tries < MOST_TRIES;) {
    const result = writeNow(data.subarray(from));
    if (result > 0) from += result;
    else if (result !== -ERRNO.EAGAIN) return;
    else {
      tries++;
      block(TRY_MS);
    }
  }
}

/** Text for people, to standard output. Errors: `system`. */
export function print(text: string): void {
  write(1, Buffer.from(printable(text), 'utf8'));
}

/** Messages for people, to standard error: broken between words where that is a terminal. */
export function say(text: string): void {
  const { isTTY, width } = text.length > NARROW ? terminalAt(2) : { isTTY: false, width: Infinity };
  write(2, Buffer.from(printable(isTTY ? folded(text, width) : text), 'utf8'));
}

/** What is shorter fits every terminal, and nobody asks for its width. */
const NARROW = 40;

/** Text for programs, or its bytes, to standard output, as it is. Errors: `system`. */
export function printData(text: string | Buffer): void {
  write(1, typeof text === 'string' ? Buffer.from(text, 'utf8') : text);
}

/** The shape of all JSON that plugd prints; a change that breaks a reader increases it. docs/*.schema.json describe it. */
export const SCHEMA_VERSION = 1;

/** A value as JSON with its `schemaVersion`, to standard output; `indent` in blanks. Errors: `system`. */
export function printJson(value: object, indent?: number): void {
  printData(jsonText({ schemaVersion: SCHEMA_VERSION, ...value }, indent));
}

/** JSON with a newline. Escapes what a terminal would obey, beyond what JSON requires: DEL, C1, bidirectional controls. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  return `${text.replaceAll(/[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, escapedUnit)}\n`;
}

function escapedUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Machine text (latin1), or its bytes, to standard output. Errors: `system`. */
export function printBytes(text: string | Buffer): void {
  write(1, bytesFor(1, text));
}

/** Messages that are machine text (latin1), to standard error. */
export function sayBytes(text: string): void {
  write(2, bytesFor(2, text));
}

/** The work whose progress is shown; undefined before there is any, and where no terminal shows it. */
let longWork: LongWork | undefined;

/**
 * Shows on a terminal that is standard error how far long work is, from its first second on, and takes the line away before anything else
 * is written: `telling()('modules', 120, 4023)`. What it gives is called often and costs little; elsewhere it does nothing.
 */
export function telling(): LongWork['at'] {
  const terminal = terminalAt(2);
  if (!terminal.isTTY) return () => {};
  const work = new LongWork({ clock: CLOCK, terminal, write: (text) => draw(text) });
  longWork = work;
  // Not every command writes something at its end.
  process.once('exit', () => work.over());
  return (what, done, total) => work.at(what, done, total);
}

/** A terminal that cannot be written to is no reason to end. */
function draw(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    longWork = undefined;
  }
}

/** Sequences that move a terminal's cursor or erase its lines, which `print` and `say` would escape. */
export function drive(fd: 1 | 2, sequence: string): void {
  write(fd, Buffer.from(sequence, 'utf8'));
}

function bytesFor(fd: 1 | 2, text: string | Buffer): Buffer {
  if (!isCharacterDevice(fd)) return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const pieces = (typeof text === 'string' ? text : text.toString('latin1')).split(/(?<=[\n\t])/);
  return Buffer.from(pieces.map(escapedPiece).join(''), 'utf8');
}

/** A piece that may end in a newline or a TAB. */
function escapedPiece(piece: string): string {
  const end = /[\n\t]$/.exec(piece)?.[0] ?? '';
  return readable(piece.slice(0, piece.length - end.length)) + end;
}

/** The major number of /dev/null and its kind: character devices that are not terminals. */
const MEMORY_DEVICES = 1;

function isCharacterDevice(fd: 1 | 2): boolean {
  try {
    const { rdev, mode } = fstatSync(fd);
    return (mode & 0o170000) === 0o020000 && rdev >> 8 !== MEMORY_DEVICES;
  } catch {
    return false;
  }
}

/** The terminal that a descriptor leads to. */
export interface OutputTerminal extends Terminal {
  readonly isTTY: boolean;
}

/**
 * What descriptor 1 or 2 leads to. It touches process.stdout only when that may be a terminal: making the stream loads Node's whole
 * network stack, a tenth of a second on a slow machine.
 */
export function terminalAt(fd: 1 | 2): OutputTerminal {
  const stream = !isCharacterDevice(fd) ? {} : fd === 1 ? process.stdout : process.stderr;
  return { ...terminalOf(stream, process.env), isTTY: (stream as { readonly isTTY?: boolean }).isTTY === true };
}
