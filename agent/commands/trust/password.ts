/** A password that a person types twice at the terminal, unseen. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlugdError, reason } from '../../base/error.ts';
import { hashPassword, parsePasswordHash, type PasswordHash } from '../../trust/enrolment/sha512-crypt.ts';
import { print } from '../output.ts';

/** MokManager takes no longer one. */
const MOST = 256;

/** The hash in a file, as `mokutil --generate-hash` and `openssl passwd -6` write it. Errors: `unreadable`, `unsupported`. */
export function readHashFile(path: string): PasswordHash {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new PlugdError('unreadable', `${path}: ${reason(error)}`);
  }
  const hash = parsePasswordHash(text.trim());
  if (hash === undefined)
    throw new PlugdError('unsupported', `${path}: not the hash of a password that begins with $6$`, {
      remedy: 'make one: openssl passwd -6',
    });
  return hash;
}

/** Asks for a password, and hashes it with a new salt. Errors: `unsupported` without a terminal, `usage` for two that differ. */
export async function askPassword(): Promise<PasswordHash> {
  if (!process.stdin.isTTY)
    throw new PlugdError('unsupported', 'a password is asked for, and standard input is no terminal', {
      remedy: 'name a file with its hash: --hash-file FILE (openssl passwd -6)',
    });
  print('MokManager will ask for a password once. It knows an American keyboard only: choose letters and digits.\n');
  const first = await askUnseen('password: ');
  const second = await askUnseen('once more: ');
  if (first !== second) throw new PlugdError('usage', 'the two passwords differ');
  if (first === '' || Buffer.byteLength(first) > MOST)
    throw new PlugdError('usage', `a password has 1 to ${MOST} bytes`);
  const salt = randomBytes(12).toString('base64').replaceAll('+', '.');
  return hashPassword(Buffer.from(first), Buffer.from(salt));
}

/** A line, without its echo. */
async function askUnseen(question: string): Promise<string> {
  print(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  let text = '';
  try {
    for (;;) {
      const chunk = await new Promise<string>((done) => stdin.once('data', (data) => done(String(data))));
      for (const char of chunk) {
        if (char === '\r' || char === '\n') return text;
        if (char === '\u0003' || char === '\u0004') throw new PlugdError('usage', 'no password was given');
        text = char === '\u007f' || char === '\b' ? Array.from(text).slice(0, -1).join('') : text + char;
      }
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    print('\n');
  }
}
