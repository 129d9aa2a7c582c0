/** Writes the files that options name: each is there as a whole, or as it was. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { PlugdError, reason } from '../base/error.ts';
import type { Option } from './command.ts';

/** Replaces a file atomically. It creates a file under a new name (O_EXCL), so it never follows a planted link. Errors: `system`. */
export function writeWhole({ long }: Option, file: string, text: string): void {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`;
  try {
    writeFileSync(part, text, { flag: 'wx' });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw new PlugdError('system', `--${long} ${file}: ${reason(error)}`, { cause: error });
  }
}
