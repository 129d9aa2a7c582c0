/**
 * Lists for boot in a real machine: what Debian's systemd-modules-load and plugd load for the same sets, with which status, and how long they
 * take for ten modules that need nothing of each other: Debian's, and ten whose init sleeps.
 *
 *     npm run lab:boot-lists -- [times] [WORD…]      only the times; only sets that have a word in their name
 *
 * Three minutes. Exit status 1: they differ.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOOT_LIST_SETS, type BootListSet } from '../../fixtures/roots/boot-list-sets.ts';
import { debianFiles, type DebianTree, type Missing } from '../../fixtures/debian.ts';
import { buildModule } from '../../fixtures/kernel-module.ts';
import { machineImage, type GuestFiles } from '../machine/image.ts';
import { boot } from '../machine/machine.ts';

const plugd = join(import.meta.dirname, '../../../plugd.cjs');
const SCRIPT = join(import.meta.dirname, '../../../../test/vm/boot-lists/guest.sh');
const LIST = 'etc/modules-load.d/a.conf';
const COUNT = 10;

/** A driver that waits for its hardware, as many do; the compiled file is made ten modules by its name. */
const SLEEPER = `#include <linux/module.h>
#include <linux/delay.h>
static int __init sleeper_init(void)
{
	msleep(200);
	return 0;
}
static void __exit sleeper_exit(void) { }
module_init(sleeper_init);
module_exit(sleeper_exit);
MODULE_LICENSE("GPL");
`;

/** Modules without hardware; those that depend on none are taken. */
const CANDIDATES =
  'dummy loop tun ifb nbd team brd macvlan ppdev null_blk wp512 camellia_generic serpent_generic deflate minix romfs isofs'.split(
    ' ',
  );

function need<T extends { readonly kind: 'ready' }>(part: T | Missing): T {
  if (part.kind === 'ready') return part;
  throw new Error(part.sentence);
}

/** Ten modules of the tree that depend on nothing. */
function independent(tree: DebianTree): readonly string[] {
  const text = readFileSync(join(tree.root, 'lib/modules', tree.kernel, 'modules.dep'), 'utf8');
  const alone = new Set([...text.matchAll(/^.*\/([^/]+)\.ko:$/gm)].map(([, name]) => name));
  const found = CANDIDATES.filter((name) => alone.has(name)).slice(0, COUNT);
  if (found.length < COUNT) throw new Error(`only ${found.join(' ')} depend on nothing`);
  return found;
}

/** A set as files of the guest. */
function setFiles(folder: string, { files = {}, commandLine = 'quiet' }: BootListSet): GuestFiles {
  const own = Object.entries(files).map(([path, content]) => [`${folder}/files/${path}`, content]);
  return {
    [`${folder}/cmdline`]: `${commandLine}\n`,
    [`${folder}/files/etc/hostname`]: 'lab\n',
    ...Object.fromEntries(own),
  };
}

/** A module tree of its own: the guest would take a minute for the indexes of the whole one. */
async function sleepers(tree: DebianTree, folder: string): Promise<string> {
  const built = need(await buildModule(tree, 'sleeper0', SLEEPER));
  const text = readFileSync(built.file, 'latin1');
  const place = join(folder, 'lib/modules', tree.kernel);
  mkdirSync(place, { recursive: true });
  for (let index = 0; index < COUNT; index++)
    writeFileSync(join(place, `sleeper${index}.ko`), text.replaceAll('sleeper0', `sleeper${index}`), 'latin1');
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    writeFileSync(join(place, name), '');
  execFileSync(process.execPath, [plugd, 'depmod', '-b', folder, tree.kernel]);
  return place;
}

/** The two lists that are timed, and the modules of the second. */
async function timedFiles(tree: DebianTree, folder: string): Promise<GuestFiles> {
  const waiting = Array.from({ length: COUNT }, (_, index) => `sleeper${index}\n`).join('');
  return {
    ...setFiles('timed/debian', {
      files: {
        [LIST]: independent(tree)
          .map((name) => `${name}\n`)
          .join(''),
      },
    }),
    ...setFiles('timed/sleeping', { files: { [LIST]: waiting } }),
    'timed/sleeping/tree': { from: await sleepers(tree, folder) },
  };
}

interface Run {
  readonly set: string;
  readonly tool: string;
  readonly status: string;
  readonly seconds: number;
  readonly modules: string;
}

function parseRuns(text: string): readonly Run[] {
  return text.split('\n').flatMap((line) => {
    const [set = '', tool = '', status = '', seconds = '', ...modules] = line.split(' ');
    return tool === 'systemd' || tool === 'plugd'
      ? [{ set, tool, status, seconds: Number(seconds), modules: modules.join(' ') }]
      : [];
  });
}

const words = process.argv.slice(2).filter((word) => word !== 'times');
const isTimed = words.length === 0 || process.argv.includes('times');
const chosen = Object.entries(BOOT_LIST_SETS).filter(([name]) =>
  words.length === 0 ? !process.argv.includes('times') : words.some((word) => name.includes(word)),
);
const image = need(await machineImage());
const packages = need(await debianFiles(['systemd'], 'amd64', { libraries: true }));
const folder = mkdtempSync(join(tmpdir(), 'plugd-boot-lists-'));
let differ = 0;
try {
  const sets = chosen.map(([, set], index) => setFiles(`sets/${String(index).padStart(2, '0')}`, set));
  const files: GuestFiles = Object.assign(
    {
      'lab.sh': readFileSync(SCRIPT, 'utf8'),
      ...Object.fromEntries(
        ['usr/lib', 'lib']
          .filter((name) => existsSync(join(packages.root, name)))
          .map((name) => [name.replace(/^lib$/, 'usr/lib/.'), { from: join(packages.root, name) }]),
      ),
      ...(isTimed ? await timedFiles(image.tree, folder) : {}),
    },
    ...sets,
  );
  await using machine = await boot(image, { files });
  const version = await machine.output('/usr/lib/systemd/systemd-modules-load', ['--version']);
  console.log(version.split('\n')[0]);
  const runs = parseRuns(await machine.output('sh', ['/lab.sh']));
  for (const [index, [name]] of chosen.entries()) {
    const [theirs, ours] = runs.filter(({ set }) => Number(set) === index && /^\d+$/.test(set));
    const same = theirs !== undefined && theirs.status === ours?.status && theirs.modules === ours.modules;
    if (!same) differ++;
    const shown = (run: Run | undefined) => `status ${run?.status}: ${run?.modules}`;
    console.log(`  ${same ? 'same  ' : 'DIFFER'} ${name}: ${shown(theirs)}${same ? '' : `; plugd ${shown(ours)}`}`);
  }
  for (const set of isTimed ? ['debian', 'sleeping'] : []) {
    // With how many modules each run loaded.
    const times = (tool: string) =>
      runs
        .filter((run) => run.set === set && run.tool === tool)
        .map(({ seconds, modules }) => `${seconds.toFixed(2)} (${modules.split(' ').length})`)
        .join(', ');
    console.log(
      `  ten independent modules (${set}): systemd-modules-load ${times('systemd')} s, plugd ${times('plugd')} s`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(differ === 0 ? `${chosen.length} sets, no difference` : `${differ} sets differ`);
process.exit(differ === 0 ? 0 : 1);
