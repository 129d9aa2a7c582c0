/** Evaluates configuration files that are shell scripts, by bash. The files' own commands run: dkms.conf is a program. */
import type * as ChildProcess from 'node:child_process';
import { createRequire } from 'node:module';
import { fsCode, reason } from '../../../base/error.ts';
import { fromMachineText } from '../../../base/machine-text.ts';
import { moduleUrl } from '../../../base/own-place.ts';
import type { ConfError } from '../../../records/dkms/conf-message.ts';
import { CONF_SCRIPT } from './conf-script.ts';
import type { ShellQuestion } from './shell-question.ts';
import { assign, type ShellMatches, type ShellValues } from './shell-values.ts';

/** How long the files may take, and how much they may answer or complain. */
export interface ShellLimits {
  readonly seconds: number;
  readonly bytes: number;
}

/** Values as the files leave them; `complaint` is what bash and the files' commands wrote to stderr. */
export type ShellAnswer =
  | {
      readonly kind: 'values';
      readonly values: ShellValues;
      readonly matches: ShellMatches;
      readonly complaint: string;
    }
  | { readonly kind: 'failed'; readonly error: ConfError; readonly complaint: string };

/** A kernel's whole .config that a file sources takes a tenth of this; lttng's 46 records take 10 KB. */
const LIMITS: ShellLimits = { seconds: 10, bytes: 1 << 20 };

/** How much of the complaints of a file that was stopped is kept. */
const MOST_COMPLAINT = 4096;

/**
 * Runs bash on regular files, each sourced after those before it, and waits; the first is named when something goes wrong. The environment is a clean one, so that nothing of the caller's decides (BASH_ENV, exported functions,
 * NODE_OPTIONS); a session of its own keeps the files from asking on the terminal, and lets what they started be ended with them.
 */
export function evaluateInBash(
  files: readonly [string, ...string[]],
  question: ShellQuestion,
  limits: ShellLimits = LIMITS,
): ShellAnswer {
  const { HOME = '/', PATH = '/usr/sbin:/usr/bin:/sbin:/bin', TMPDIR } = process.env;
  const options = {
    env: { HOME, PATH, LANG: 'C', ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    stdio: ['ignore' as const, 'pipe' as const, 'pipe' as const],
    encoding: 'latin1' as const,
    timeout: limits.seconds * 1000,
    maxBuffer: limits.bytes,
    killSignal: 'SIGKILL' as const,
    detached: true, // Which Node passes on, although its documentation has it for spawn only.
  };
  // Loaded only here: node:child_process brings Node's network code, and plain files need no bash.
  const load = createRequire(moduleUrl(import.meta.url, 'dkms/conf/shell/shell-run.js'));
  const { spawnSync } = load('node:child_process') as typeof ChildProcess;
  const ended = spawnSync(
    'bash',
    ['--noprofile', '--norc', '-c', CONF_SCRIPT, 'dkms', ...wordsOf(files, question)],
    options,
  );
  const complaint = fromMachineText(ended.stderr ?? '');
  const failed = (error: ConfError): ShellAnswer => {
    endSession(ended.pid);
    return { kind: 'failed', error, complaint: complaint.slice(0, MOST_COMPLAINT) };
  };
  const [file] = files;
  if (ended.error !== undefined) {
    const code = fsCode(ended.error);
    if (code === 'ETIMEDOUT') return failed({ kind: 'too-slow', file, seconds: limits.seconds });
    if (code === 'ENOBUFS') return failed({ kind: 'too-much', file, bytes: limits.bytes });
    if (code === 'ENOENT') return failed({ kind: 'no-bash', file });
    return failed({ kind: 'bash-failed', file, why: `bash cannot be run: ${reason(ended.error)}` });
  }
  const answer = readAnswer(ended.stdout);
  if (answer === undefined) {
    const how = ended.signal === null ? `ended with status ${ended.status}` : `was ended by ${ended.signal}`;
    return failed({ kind: 'bash-failed', file, why: `bash ${how} before it had read the file` });
  }
  return { kind: 'values', ...answer, complaint };
}

/** The arguments of CONF_SCRIPT. */
function wordsOf(files: readonly string[], { variables, known, patterns, last }: ShellQuestion): readonly string[] {
  return [
    ...counted(Object.entries(variables)),
    ...counted(known.map((name) => [name])),
    ...counted(patterns),
    ...counted(last.map((text) => [text])),
    // bash looks for a name without a slash in PATH first.
    ...files.map((file) => (file.includes('/') ? file : `./${file}`)),
  ];
}

function counted(items: ReadonlyArray<readonly string[]>): readonly string[] {
  return [String(items.length), ...items.flat()];
}

/** Values and matches; undefined when the script did not reach its end. */
function readAnswer(text: string): { values: ShellValues; matches: ShellMatches } | undefined {
  if (!text.endsWith('end\0')) return undefined;
  const fields = text.split('\0');
  const values = new Map<string, Map<number, string>>();
  const matches = new Map<string, Map<number, boolean>>();
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [kind, name = '', index, value = ''] = fields.slice(i, i + 4);
    if (kind === 'value') assign(values, name, Number(index), fromMachineText(value));
    else if (kind === 'match') assign(matches, name, Number(index), value === '0');
  }
  return { values, matches };
}

/** Ends what a stopped script left running: it led a process group of its own. */
function endSession(pid: number): void {
  if (pid <= 0) return; // It was never started.
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
