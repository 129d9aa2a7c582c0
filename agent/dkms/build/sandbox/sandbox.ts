/**
 * Walls around the commands of a build: namespaces of their own by unshare(1), another user and no capabilities by setpriv(1), which
 * util-linux has. What the machine does not allow is left out, and said with its reason: a build with fewer walls is better than none.
 */
import { realpathSync } from 'node:fs';
import { readText } from '../../../facts/attribute.ts';
import type { MissingWall, Wall } from '../../../records/dkms/build-message.ts';
import { runProgram, type ProgramEnding } from '../process/program.ts';
import { writableMounts } from './mount-table.ts';

/** Who a build runs as. */
export interface BuildUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The walls that stand. */
export interface Sandbox {
  readonly missing: readonly MissingWall[];
  /** The user that the build folder has to belong to; undefined when that stays as it is. */
  readonly user: BuildUser | undefined;
  /** The program and arguments that come before a command, which then may write only below `writable` and /tmp. */
  words(writable: readonly string[], as: 'user' | 'caller'): readonly string[];
}

/** What a sandbox is made for. */
export interface SandboxRequest {
  /** Folders that the build's user must be able to enter: the DKMS tree, the headers. */
  readonly entered: readonly string[];
  /** Process id 0's rights; undefined asks the system. */
  readonly root?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** The system user that packages make for this; where there is none, the one that owns nothing. */
const USERS = ['plugd-build', 'nobody'];
/** What root still may: own, read and write files. Everything else would open a wall again. */
const FILE_RIGHTS = '-all,+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+setgid,+setuid,+kill';

/** `$@`: places that stay writable, `--`, pairs of mounts and their options, `--`, the command. */
const SETUP = `
while [ "$1" != -- ]; do mount --bind -- "$1" "$1" || exit 125; shift; done; shift
while [ "$1" != -- ]; do mount -o "remount,bind,ro$2" -- "$1" || test ! -e "$1"; shift 2; done; shift
cd "$PWD" && exec "$@"`;

/** Finds out which walls this machine allows: `await openSandbox({ entered: ['/var/lib/dkms'] })`. Errors: none. */
export async function openSandbox({
  entered,
  root = process.geteuid?.() === 0,
  env,
}: SandboxRequest): Promise<Sandbox> {
  const missing: MissingWall[] = [];
  const base = ['unshare', ...(root ? [] : ['--user', '--map-root-user']), '--mount', '--propagation', 'private'];
  const run = async (words: readonly string[]) => runProgram(words, env === undefined ? {} : { env });
  const lack = (walls: readonly Wall[], why: string) => missing.push(...walls.map((wall) => ({ wall, why })));
  const spaces: string[] = [];
  const first = await run([...base, 'true']);
  if (first.status === 0) {
    for (const [wall, options] of Object.entries(SPACES)) {
      const tried = await run([...base, ...options, 'true']);
      if (tried.status === 0) spaces.push(...options);
      else lack([wall as Wall], reasonOf(tried));
    }
    const tried = await run([...base, ...spaces, ...setup([], ['true'])]);
    if (tried.status !== 0 || tried.complaint !== '') lack(['files'], reasonOf(tried));
  } else lack(['network', 'processes', 'files'], reasonOf(first));
  const user = root ? await findUser(entered, run, lack) : undefined;
  const dropped = await run(['setpriv', '--no-new-privs', 'true']);
  const rights = (as: 'user' | 'caller'): readonly string[] => {
    if (dropped.status !== 0) return [];
    const common = ['setpriv', '--no-new-privs', '--inh-caps=-all'];
    if (as === 'user' && user !== undefined)
      return [...common, '--bounding-set=-all', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
    if (root) return [...common, `--bounding-set=${FILE_RIGHTS}`];
    return first.status === 0 ? [...common, '--bounding-set=-all'] : common;
  };
  return {
    missing,
    user: dropped.status === 0 ? user : undefined,
    words: (writable, as) =>
      first.status === 0 ? [...base, ...spaces, ...setup(writable, rights(as))] : [...rights(as)],
  };
}

/** What a sandbox changes in the environment of its commands: places that they may write to. */
export function sandboxVariables({ user }: Sandbox): Readonly<Record<string, string>> {
  const own = user === undefined ? {} : { HOME: '/nonexistent', USER: user.name, LOGNAME: user.name };
  return { TMPDIR: '/tmp', ...own };
}

/** Gives a build folder and all in it to the sandbox's user; does nothing where there is none. Its links stay links. */
export async function giveFolder(sandbox: Sandbox | undefined, folder: string): Promise<void> {
  const user = sandbox?.user;
  if (user !== undefined) await runProgram(['chown', '-R', '-h', '--', `${user.uid}:${user.gid}`, folder]);
}

/** The namespaces that are walls of their own. */
const SPACES: Readonly<Partial<Record<Wall, readonly string[]>>> = {
  network: ['--net'],
  // The first process of the namespace takes all others with it when it ends.
  processes: ['--pid', '--fork', '--kill-child', '--mount-proc'],
};

function setup(writable: readonly string[], command: readonly string[]): readonly string[] {
  const kept = [...new Set([...writable.map((folder) => realpathSync(folder)), '/tmp'])];
  const mounts = writableMounts(readText('/proc/self/mountinfo') ?? '', kept);
  const pairs = mounts.flatMap(({ target, options }) => [target, options === '' ? '' : `,${options}`]);
  return ['bash', '--noprofile', '--norc', '-c', SETUP, 'sandbox', ...kept, '--', ...pairs, '--', ...command];
}

/** The first user of the list that exists and can enter the folders. */
async function findUser(
  entered: readonly string[],
  run: (words: readonly string[]) => Promise<ProgramEnding>,
  lack: (walls: readonly Wall[], why: string) => void,
): Promise<BuildUser | undefined> {
  const user = USERS.map((name) => userNamed(name)).find((each) => each !== undefined);
  if (user === undefined) {
    lack(['user'], `/etc/passwd has neither ${USERS.join(' nor ')}`);
    return undefined;
  }
  const drop = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const able = await run([...drop, 'true']);
  if (able.status !== 0) {
    lack(['user'], reasonOf(able));
    return undefined;
  }
  for (const folder of entered) {
    if ((await run([...drop, 'test', '-x', folder])).status === 0) continue;
    lack(['user'], `${user.name} cannot enter ${folder}`);
    return undefined;
  }
  return user;
}

function userNamed(name: string): BuildUser | undefined {
  const line = (readText('/etc/passwd') ?? '').split('\n').find((each) => each.startsWith(`${name}:`));
  const [, , uid = '', gid = ''] = line?.split(':') ?? [];
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

function reasonOf({ complaint, status }: ProgramEnding): string {
  return complaint.trim().split('\n')[0] || `status ${status}`;
}
