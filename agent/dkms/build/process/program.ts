/** Runs one program without a shell and gathers what it says. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { errnoOf, errnoText } from '../../../base/errno.ts';

/** Far more than a message, far less than the memory. */
const MOST_OUTPUT = 1 << 20;

/** How a program ended. `output` is what it wrote to stdout, `complaint` to stderr, or why it could not be started. */
export interface ProgramEnding {
  /** 127 when it could not be started, 128 when a signal ended it. */
  readonly status: number;
  readonly output: string;
  readonly complaint: string;
}

/**
 * Runs a program: `await runProgram(['strip', '-g', file])`. Its stdin is empty unless `input` is given; messages are in English.
 */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  { env = process.env, input }: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<ProgramEnding> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      words,
      { env: { ...env, LC_ALL: 'C' }, maxBuffer: MOST_OUTPUT },
      (error, output, complaint) => {
        if (error === null) return resolve({ status: 0, output, complaint });
        if (typeof error.code === 'number') return resolve({ status: error.code, output, complaint });
        const errno = errnoOf(error, undefined);
        if (errno === undefined) return resolve({ status: 128, output, complaint });
        resolve({ status: 127, output, complaint: `${program}: ${errnoText(errno)}\n` });
      },
    );
    child.stdin?.on('error', () => {}); // It may end before it has read everything.
    child.stdin?.end(input ?? '');
  });
}

/** Whether a program of this name, or at this path, can be run: `hasProgram('gcc-12', process.env.PATH)`. */
export function hasProgram(name: string, path: string | undefined): boolean {
  return commandPath(name, path) !== undefined;
}

/** The file that is run for a name: `commandPath('gcc-12', process.env.PATH)` → `/usr/bin/gcc-12`; undefined when there is none. */
export function commandPath(name: string, path: string | undefined): string | undefined {
  const candidates = name.includes('/')
    ? [name]
    : (path ?? '').split(':').flatMap((folder) => (folder === '' ? [] : [`${folder}/${name}`]));
  return candidates.find(isExecutable);
}

/** Whether a path leads to a regular file that this process may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
