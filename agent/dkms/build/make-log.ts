/** make.log: what each command of a build wrote, in dkms's form, which people and programs read. */
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

/** Two versions of plugd write the same log: this is the dkms whose form it has. */
const WRITER = 'dkms-3.4.3';

/** What the log is of. */
export interface LogHead {
  readonly module: string;
  readonly version: string;
  readonly kernel: string;
  readonly arch: string;
  /** The moment as date(1) shows it: `Sat Nov 28 11:21:41 UTC 2026`. */
  readonly date: string;
}

/** A log that is being written. Commands write to `fd` themselves, so that their output and errors stay in order. */
export interface MakeLog {
  readonly fd: number;
  /** A command begins. */
  begin(description: string, command: string): void;
  /** It ended. */
  end(status: number, seconds: number): void;
  /** All that was written, as bytes; also when the file was removed meanwhile. */
  bytes(): Buffer;
  close(): void;
}

/**
 * Begins a log: `openMakeLog('/var/lib/dkms/m/1.0/build/make.log', head)`. A file or link of this name is replaced, never followed.
 * Throws what node:fs throws.
 */
export function openMakeLog(path: string, { module, version, kernel, arch, date }: LogHead): MakeLog {
  const log = openCommandLog(path);
  writeSync(log.fd, `DKMS (${WRITER}) make.log for ${module}/${version} for kernel ${kernel} (${arch})\n${date}\n`);
  return log;
}

/** The same without a head: the log of a command that belongs to no build. */
export function openCommandLog(path: string): MakeLog {
  rmSync(path, { recursive: true, force: true });
  const { O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o644);
  const write = (text: string) => writeSync(fd, text);
  return {
    fd,
    begin: (description, command) => write(`\n${description}\n# command: ${command}\n`),
    end: (status, seconds) =>
      write(`\n# exit code: ${status}\n# elapsed time: ${elapsed(seconds)}\n${'-'.repeat(64)}\n`),
    bytes: () => readAll(fd),
    close: () => closeSync(fd),
  };
}

/** Seconds as `00:01:04`. */
function elapsed(seconds: number): string {
  const whole = Math.floor(seconds);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function readAll(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  let at = 0;
  while (at < bytes.length) {
    const read = readSync(fd, bytes, at, bytes.length - at, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
