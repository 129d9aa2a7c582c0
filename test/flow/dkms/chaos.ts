/** Trouble for dkms: runs that are killed, disks that are full, and runs that meet. Each gives what is wrong afterwards, a sentence each. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../fixtures/random.ts';
import { contents, KERNEL, plugd, system, type System } from './made-up-system.ts';

/** An action to disturb: what comes before it, and the words of it. */
export interface Victim {
  readonly name: string;
  prepare(system: System): void;
  readonly words: readonly string[];
}

const NAMES = ['one', 'two', 'three'];

/** Registers three modules, of which the last needs the first. */
function addAll({ run, source }: System): void {
  for (const name of NAMES) run('add', source(name, '1.0', name === 'three' ? 'BUILD_DEPENDS="one"' : ''));
}

/** What is killed. */
export const VICTIMS: readonly Victim[] = [
  { name: 'install', prepare: addAll, words: ['install', 'one/1.0', '-k', KERNEL] },
  {
    name: 'remove',
    prepare: (made) => {
      addAll(made);
      made.run('install', 'one/1.0', '-k', KERNEL);
    },
    words: ['remove', 'one/1.0', '--all'],
  },
  { name: 'autoinstall', prepare: addAll, words: ['autoinstall', '-k', KERNEL] },
];

/** The kernel's tree and the states of modules, which is all that other programs see. */
interface Seen {
  readonly tree: Readonly<Record<string, string>>;
  readonly status: string;
}

function look({ dir, status }: System): Seen {
  return { tree: contents(`${dir}/lib/modules`), status: status() };
}

function isSame(a: Seen, b: Seen): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Kills the victim's process group at `count` moments that `seed` chooses, each in the state before it. Right after the kill every file of
 * the kernel's tree is one of before or of after, whole; the same command once more leaves what an undisturbed one leaves.
 */
export async function killed(
  make: () => System,
  victim: Victim,
  count: number,
  seed: number,
): Promise<readonly string[]> {
  const random = new Random(seed);
  const faults: string[] = [];
  const quiet = make();
  victim.prepare(quiet);
  const before = look(quiet);
  const started = performance.now();
  quiet.run(...victim.words);
  const length = performance.now() - started;
  const after = look(quiet);
  for (let i = 0; i < count; i++) {
    const disturbed = make();
    victim.prepare(disturbed);
    const at = Math.floor((length * random.below(1000)) / 1000);
    const where = `${victim.name}, seed ${seed}, killed after ${at} of ${Math.round(length)} ms`;
    await killAt(disturbed, victim.words, at);
    for (const [path, bytes] of Object.entries(contents(`${disturbed.dir}/lib/modules`))) {
      // What is written beside its place has a name that nobody else reads.
      if (/\.plugd-|\/\.[^/]+$/.test(path)) continue;
      if (![before.tree[path], after.tree[path]].includes(bytes)) faults.push(`${where}: ${path} is half`);
    }
    const ended = disturbed.run(...victim.words);
    // A removal that was done has nothing to remove any more.
    if (ended.status !== 0 && !(victim.name === 'remove' && ended.status === 3))
      faults.push(`${where}: the next run ends with ${ended.status}: ${ended.error}`);
    if (!isSame(look(disturbed), after)) faults.push(`${where}: the next run leaves another state`);
    const check = disturbed.run('check');
    if (check.status !== 0) faults.push(`${where}: ${check.out}`);
  }
  return faults;
}

async function killAt({ dir }: System, words: readonly string[], ms: number): Promise<void> {
  const command = [plugd, 'dkms', ...words, '--root', dir];
  const child = spawn(process.execPath, command, { stdio: 'ignore', detached: true, cwd: dir });
  const exit = once(child, 'exit');
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, ms);
  await exit;
  clearTimeout(timer);
}

/** Two packages are configured and a kernel's hook runs, all at once; the end is that of one after the other. */
export async function together(make: () => System): Promise<readonly string[]> {
  const jobs: ReadonlyArray<readonly string[]> = [
    ['package_postinst', 'one', '1.0', '/usr/share/one', '', ''],
    ['package_postinst', 'two', '1.0', '/usr/share/two', '', ''],
    ['kernel_postinst', '-k', KERNEL],
  ];
  const place = (made: System) => {
    for (const name of ['one', 'two']) {
      const to = `${made.dir}/usr/src/${name}-1.0`;
      mkdirSync(to, { recursive: true });
      const from = made.source(name, '1.0');
      for (const file of ['dkms.conf', `${name}.image`]) copyFileSync(join(from, file), join(to, file));
    }
    made.run('add', made.source('three', '1.0'));
  };
  const quiet = make();
  place(quiet);
  for (const words of jobs) quiet.run(...words);
  const wanted = look(quiet);
  const busy = make();
  place(busy);
  const statuses = await Promise.all(
    jobs.map(async (words) => {
      const command = [plugd, 'dkms', ...words, '--root', busy.dir];
      const child = spawn(process.execPath, command, { stdio: 'ignore', cwd: busy.dir });
      return (await once(child, 'exit'))[0] as number | null;
    }),
  );
  const faults = statuses.flatMap((status, i) => (status === 0 ? [] : [`${jobs[i]?.[0]} ends with ${status}`]));
  return isSame(look(busy), wanted) ? faults : [...faults, 'the state is another than one after the other'];
}

/** The steps of a disk's last free pages: from none to more than an installation takes. */
const PAGE = 4096;

/**
 * Lets actions run out of space at each stage, on a small file system that is mounted at `folder` (so this belongs into a mount namespace):
 * `every` pages from none to `most`. After a failure the state is the old one; with space again the same command succeeds.
 */
export function fullDisk(folder: string, most: number, every: number): readonly string[] {
  const faults: string[] = [];
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]);
  let round = 0;
  const make = () => {
    const dir = join(folder, `${round++}`);
    return system({ testdir: (content) => makeFolder(dir, content ?? {}) });
  };
  // A build wants one MiB more than its sources take; this one leaves its last pages only when it has begun.
  const filling = (dir: string, pages: number) =>
    `MAKE="cp demo.image demo.ko; dd if=/dev/zero of=${dir}/fill bs=${PAGE} 2>/dev/null; truncate -s -${pages * PAGE} ${dir}/fill"`;
  for (const action of ['add', 'install', 'remove', 'build', 'autoinstall'] as const) {
    for (let pages = 0; pages <= most; pages += every) {
      const made = make();
      const { dir, run, source } = made;
      const fill = `${dir}/fill`;
      const conf = action === 'build' ? filling(dir, pages) : '';
      const given = source('demo', '1.0', conf);
      if (action !== 'add') run('add', given);
      const first = { install: 'build', remove: 'install' }[action as string];
      if (first !== undefined) run(first, 'demo/1.0', '-k', KERNEL, '--no-sandbox');
      const before = look(made);
      if (action !== 'build') leave(fill, folder, pages);
      const words = {
        add: ['add', given],
        remove: ['remove', 'demo/1.0', '--all'],
        autoinstall: ['autoinstall', '-k', KERNEL, '--no-sandbox'],
        install: ['install', 'demo/1.0', '-k', KERNEL, '--no-sandbox'],
        build: ['build', 'demo/1.0', '-k', KERNEL, '--no-sandbox'],
      }[action];
      const ended = run(...words);
      const where = `${action} with ${pages} free pages`;
      rmSync(fill, { force: true });
      if (ended.status !== 0 && !/no space|space left/i.test(ended.out + ended.error))
        faults.push(`${where}: does not say why: ${ended.error}`);
      // What was put into its place stays there; indexes that could not be written are the next run's.
      const now = look(made);
      const whole = Object.entries(now.tree).every(
        ([path, bytes]) => bytes.length > 0 || !/\/[^.][^/]*\.ko$/.test(path),
      );
      if (!whole) faults.push(`${where}: a module is empty`);
      if (ended.status !== 0 && action !== 'remove' && now.status !== before.status)
        faults.push(`${where}: ${now.status} after ${before.status}`);
      if (action === 'build')
        writeFileSync(
          `${dir}/usr/src/demo-1.0/dkms.conf`,
          readFileSync(`${dir}/usr/src/demo-1.0/dkms.conf`, 'utf8').replace(/^MAKE=.*$/m, ''),
        );
      const again = run(...words);
      if (again.status !== 0 && !((action === 'remove' || action === 'add') && again.status === 3))
        faults.push(`${where}: then ${again.status}: ${again.error}`);
      const wanted = { add: 'added', install: 'installed', build: 'built', autoinstall: 'installed', remove: '' }[
        action
      ];
      const status = made.status();
      if (wanted === '' ? status !== '' : !status.endsWith(`: ${wanted}\n`)) faults.push(`${where}: then ${status}`);
      const check = run('check');
      if (check.status !== 0) faults.push(`${where}: ${check.out}`);
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return faults;
}

/** Fills a file system until so many pages are free. */
function leave(fill: string, folder: string, pages: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(fill, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE)));
}

/** Folders and files from a table, as a test's own. */
export function makeFolder(dir: string, content: unknown): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, value] of Object.entries(content ?? {})) {
    if (typeof value === 'string') writeFileSync(join(dir, name), value);
    else makeFolder(join(dir, name), value);
  }
  return dir;
}

/** Whether a folder can be made a small file system of its own. */
export function canMount(): boolean {
  return (
    spawnSync('unshare', ['--mount', 'true']).status === 0 && existsSync('/proc') && statSync('/proc').isDirectory()
  );
}
