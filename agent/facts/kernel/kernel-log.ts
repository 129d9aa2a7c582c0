/**
 * The kernel's log, /dev/kmsg: each read(2) gives one record, and EAGAIN after the last. Reads only.
 *
 *     4,1217,83520133,-;lab_crc: disagrees about version of symbol _printk
 *      SUBSYSTEM=pci
 *      DEVICE=+pci:0000:00:02.0
 *
 * (facility and level, number, microseconds since boot by the kernel's own clock, flags; the text; key=value lines, which this
 * file skips.) Unprintable bytes appear as `\xNN`. Source: Documentation/ABI/testing/dev-kmsg.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsCode } from '../../base/error.ts';

/** One message. */
export interface KernelMessage {
  /** Grows by one with each message. */
  readonly sequence: number;
  /** Microseconds since boot; not exactly CLOCK_MONOTONIC. */
  readonly timeUs: number;
  /** 0 emergency … 7 debug. */
  readonly level: number;
  /** latin1 */
  readonly text: string;
}

/** The longest record (PRINTK_MESSAGE_MAX is 2048 since Linux 6.4; escapes and keys come on top). */
const RECORD_LIMIT = 16_384;

/**
 * The messages after number `after`, oldest first; all that the kernel still has when `after` is undefined. Undefined when
 * the log cannot be read (kernel.dmesg_restrict and no CAP_SYSLOG, a container without /dev/kmsg).
 */
export function readKernelLog(after?: number, file = '/dev/kmsg'): readonly KernelMessage[] | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const messages: KernelMessage[] = [];
  const record = Buffer.allocUnsafe(RECORD_LIMIT);
  try {
    for (;;) {
      let size: number;
      try {
        size = readSync(fd, record, 0, RECORD_LIMIT, null);
      } catch (error) {
        // EPIPE: the kernel overwrote the record in the meantime; the next read gives the oldest that is left.
        if (fsCode(error) === 'EPIPE') continue;
        if (fsCode(error) === 'EAGAIN') return messages;
        return messages.length === 0 ? undefined : messages;
      }
      if (size === 0) return messages;
      for (const message of parseKernelLog(record.toString('latin1', 0, size))) {
        if (after === undefined || message.sequence > after) messages.push(message);
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** The records of a text: one from /dev/kmsg, or many from a copy of it. Skips lines that are not records. */
export function parseKernelLog(text: string): readonly KernelMessage[] {
  return text.split('\n').flatMap((line) => {
    const [, prefix, sequence, time, message] = /^(\d+),(\d+),(\d+),[^;]*;(.*)$/.exec(line) ?? [];
    if (message === undefined) return [];
    const unescaped = message.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return [{ sequence: Number(sequence), timeUs: Number(time), level: Number(prefix) & 7, text: unescaped }];
  });
}
