/** Recordings in files: read in bounds, whatever somebody put there. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { whenReady } from '../../base/blocking.ts';
import { PlugdError, reason } from '../../base/error.ts';
import { statHere } from '../../base/root.ts';
import { parseMachine, type Recording } from './recording.ts';

/** More than a hundred thousand devices take. */
const MOST_BYTES = 128 << 20;

/**
 * The recordings that a word names: a file, every file of a folder in order of their names, or standard input for `-`. Names
 * that begin with a dot are passed over. Errors: `unreadable` for a folder that cannot be read or holds none.
 */
export function recordingFiles(word: string): readonly string[] {
  if (word === '-' || statHere(word)?.isDirectory() !== true) return [word];
  const names = inFile(word, () => readdirSync(word, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(word, entry.name))
    .toSorted();
  if (names.length === 0) throw new PlugdError('unreadable', 'the folder holds no recording', { file: word });
  return names;
}

/** What a recording is called: `standard input` for `-`. */
export function recordingName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/**
 * Reads one recording: a file, a pipe, or standard input for `-`. Errors: `unreadable`; `usage` for an empty one, a line that is no
 * device, or more than any machine has.
 */
export function readRecording(file: string): Recording {
  const name = recordingName(file);
  const recording = parseMachine(readBoundedText(file), name);
  if (recording.devices.length > 0) return recording;
  throw new PlugdError('usage', 'no device is in it', {
    file: name,
    remedy: "record the machine with 'plugd devices --record' as root, and look whether the file was copied whole",
  });
}

/**
 * The text of a file that anybody may have written, or of standard input for `-`, as UTF-8. Errors: `unreadable`; `usage` for more
 * than 128 MiB.
 */
export function readBoundedText(file: string): string {
  const name = recordingName(file);
  const fd = file === '-' ? 0 : inFile(name, () => openSync(file, constants.O_RDONLY | constants.O_NOCTTY));
  try {
    const stat = fstatSync(fd);
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.max(1 << 16, Math.min(stat.size, 1 << 20)));
      const count = inFile(name, () => whenReady(() => readSync(fd, chunk, 0, chunk.length, null)));
      if (count === 0) return Buffer.concat(chunks, length).toString('utf8');
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > MOST_BYTES)
        throw new PlugdError('usage', `larger than ${MOST_BYTES >> 20} MiB, which no recording is`, { file: name });
    }
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function inFile<T>(file: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new PlugdError('unreadable', reason(error), { file, cause: error });
  }
}
