/**
 * The file system of the test machine, as cpio archives that the kernel unpacks: a large one that seldom changes and is kept in
 * the cache (Debian's whole module tree, kmod, udev, busybox, node, the agent of guest.c), and behind it a small one made for
 * each machine (plugd as npm installs it, the files of the test).
 *
 * All 4,000 modules are in it, as on a real machine. Unpacking their 400 MB takes the emulated machine about two seconds.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheFolder, cached } from '../../fixtures/cache.ts';
import { needCommands, runProgram } from '../../fixtures/commands.ts';
import { debianFiles, debianTree, type DebianTree, type Missing } from '../../fixtures/debian.ts';
import { CpioWriter } from './cpio.ts';

const root = resolve(import.meta.dirname, '../../../..');

/** What a test puts into the machine: path without the slash at its start → content, a link, or a copy from this machine. */
export type GuestFiles = Readonly<
  Record<string, string | Uint8Array | { readonly link: string } | { readonly from: string; readonly mode?: number }>
>;

/** The parts of a machine that all tests share. */
export interface Image {
  readonly kind: 'ready';
  /** The module tree that is in the machine. */
  readonly tree: DebianTree;
  /** What QEMU boots: the kernel unpacked, or Debian's own compressed image if it could not be. */
  readonly vmlinux: string;
  /** The large archive. */
  readonly base: string;
}

/** Raise it when what `writeBase` writes changes: the cached archive is rebuilt. */
const LAYOUT = 2;

// util-linux for setpriv and unshare: programs with fewer rights than root. dash because busybox's shell runs its own modprobe and
// setpriv even where kmod's and util-linux's are found first.
const GUEST_PACKAGES = ['udev', 'kmod', 'busybox-static', 'util-linux', 'dash'];

/** Groups that udev's rules name; the numbers do not matter. */
const GROUPS = 'root tty disk kmem dialout video audio cdrom floppy tape lp input render sgx kvm plugdev'.split(' ');

/** On a merged-usr system, as Debian's is, the top-level folders are links into /usr. */
function merged(path: string): string | undefined {
  if (/^(usr\/share|boot|var)(\/|$)/.test(path)) return undefined;
  return path.replace(/^(bin|sbin|lib|lib32|lib64|libx32)(?=\/|$)/, 'usr/$1');
}

/** The shared libraries a program of this machine needs: [[`/lib/x86_64-linux-gnu/libm.so.6`, its real file], …]. */
async function libraries(program: string): Promise<string[]> {
  const { stdout } = await runProgram('ldd', [program]);
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '');
}

async function buildGuest(folder: string): Promise<string> {
  const program = join(folder, 'init');
  const ended = await runProgram('gcc', [
    '-O2',
    '-static',
    '-o',
    program,
    join(root, 'test/vm/machine/guest.c'),
    '-lutil',
  ]);
  if (ended.status !== 0) throw new Error(`test/vm/machine/guest.c does not compile:\n${ended.stderr}`);
  return program;
}

/** What is in a machine: a kernel's tree, Debian's packages, and of the modules all, or those of these names. */
export interface ImageWishes {
  readonly tree?: DebianTree;
  readonly packages?: readonly string[];
  readonly modules?: readonly string[];
}

/** A tree's folder with some of its modules and the indexes of Debian's depmod for them, below `root`. */
async function someModules({ root, kernel }: DebianTree, names: readonly string[], part: string): Promise<string> {
  const [from, to] = [root, part].map((base) => join(base, 'lib/modules', kernel));
  if (from === undefined || to === undefined) return part;
  const wanted = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /^modules\.(builtin|order)/.test(path) || names.includes(/([^/]+)\.ko(\.\w+)?$/.exec(path)?.[1] ?? ''),
  );
  for (const path of wanted) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    copyFileSync(join(from, path), join(to, path));
  }
  await runProgram('depmod', ['-b', part, kernel]);
  return to;
}

async function writeBase(
  folder: string,
  tree: DebianTree,
  packages: string,
  modules: readonly string[] | undefined,
): Promise<void> {
  const cpio = new CpioWriter(join(folder, 'base.cpio'));
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) cpio.link(name, `usr/${name}`);
  for (const name of ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'var/lib', 'etc/modprobe.d', 'etc/udev/rules.d']) {
    cpio.folder(name);
  }
  cpio.device('dev/console', 5, 1);
  cpio.link('var/run', '/run');
  cpio.file('init', readFileSync(await buildGuest(folder)), 0o755);
  cpio.file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
  cpio.file('etc/group', GROUPS.map((name, number) => `${name}:x:${number}:\n`).join(''));
  cpio.link('usr/bin/sh', 'dash');
  cpio.copy(packages, '', merged);
  const busybox = ['usr/bin/busybox', 'bin/busybox']
    .map((path) => join(packages, path))
    .find((path) => existsSync(path));
  const applets = (await runProgram(busybox ?? 'busybox', ['--list'])).stdout.split('\n').filter((name) => name !== '');
  // An entry given twice is written once, so kmod's and udev's own commands stay.
  for (const name of applets)
    cpio.link(`usr/${existsSync(join('/sbin', name)) ? 'sbin' : 'bin'}/${name}`, '/usr/bin/busybox');
  cpio.file('usr/bin/node', readFileSync(process.execPath), 0o755);
  for (const path of await libraries(process.execPath)) {
    const name = merged(path.slice(1));
    if (name !== undefined) cpio.file(name, readFileSync(path), 0o755);
  }
  const part = join(folder, 'part');
  const whole = join(tree.root, 'lib/modules', tree.kernel);
  const from = modules === undefined ? whole : await someModules(tree, modules, part);
  cpio.copy(from, `usr/lib/modules/${tree.kernel}`);
  cpio.end();
  rmSync(part, { recursive: true, force: true });
}

/** Debian's image is a loader around a compressed kernel; booting what is inside saves the emulator three seconds. */
async function unpackKernel(image: string, folder: string): Promise<void> {
  const bytes = readFileSync(image);
  const start = bytes.indexOf(Buffer.from('fd377a585a00', 'hex'));
  const target = join(folder, 'vmlinux');
  if (start >= 0) {
    writeFileSync(`${target}.xz`, bytes.subarray(start));
    // Behind the compressed stream the loader goes on, of which xz complains after it has written everything.
    await runProgram('sh', ['-c', `xz -dc --single-stream '${target}.xz' > '${target}'`]);
    rmSync(`${target}.xz`);
    if (statSync(target).size > 1 << 24 && readFileSync(target).subarray(0, 4).toString('latin1') === '\x7fELF') return;
  }
  copyFileSync(image, target);
}

/** Old images of other kernels, Nodes or versions of this file; each whole one has half a gigabyte. `most` others stay. */
function prune(kind: string, keep: string, most: number): void {
  const folder = join(cacheFolder(), 'vm');
  const images = readdirSync(folder).filter(
    (name) => name.startsWith(`${kind}-`) && name !== keep && !name.endsWith('.half'),
  );
  const byAge = images.toSorted((a, b) => statSync(join(folder, b)).mtimeMs - statSync(join(folder, a)).mtimeMs);
  for (const name of byAge.slice(most)) rmSync(join(folder, name), { recursive: true, force: true });
}

const prepared = new Map<string, Promise<Image | Missing>>();

async function prepare(wishes: ImageWishes): Promise<Image | Missing> {
  const { packages = GUEST_PACKAGES, modules } = wishes;
  const commands = ['qemu-system-x86_64', 'setpriv', 'gcc', '/usr/include/stdio.h', 'ldd', 'xz'];
  const tools = await needCommands(commands);
  if (tools.kind === 'missing') return tools;
  const tree = wishes.tree ?? (await debianTree('amd64'));
  if (tree.kind === 'missing') return tree;
  if (tree.image === undefined) return { kind: 'missing', sentence: "Debian's kernel package has no kernel image." };
  const { image } = tree;
  const files = await debianFiles(packages, 'amd64', { libraries: true });
  if (files.kind === 'missing') return files;
  const node = lstatSync(process.execPath);
  const guest = readFileSync(join(root, 'test/vm/machine/guest.c'));
  const parts = [
    LAYOUT,
    tree.kernel,
    statSync(image).mtimeMs,
    basename(dirname(files.root)),
    process.execPath,
    node.size,
    node.mtimeMs,
    ...(modules ?? []),
  ];
  const hash = createHash('sha256').update(JSON.stringify(parts)).update(guest).digest('hex').slice(0, 12);
  const kind = modules === undefined ? 'image' : 'small';
  const folder = await cached(`vm/${kind}-${hash}`, async (half) => {
    await writeBase(half, tree, files.root, modules);
    await unpackKernel(image, half);
  });
  prune(kind, `${kind}-${hash}`, modules === undefined ? 1 : 6);
  return { kind: 'ready', tree, vmlinux: join(folder, 'vmlinux'), base: join(folder, 'base.cpio') };
}

/** Fetches and builds whatever machines need, once; or the sentence that says why there can be none here. */
export async function machineImage(wishes: ImageWishes = {}): Promise<Image | Missing> {
  const key = JSON.stringify([wishes.tree?.root, wishes.packages, wishes.modules]);
  let image = prepared.get(key);
  if (image === undefined) prepared.set(key, (image = prepare(wishes)));
  return image;
}

/** The packages of node_modules that a package needs at run time, itself not among them. */
function dependencies(folder: string, found = new Set<string>()): Set<string> {
  const { dependencies: own = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const name of Object.keys(own)) {
    const at = [join(folder, 'node_modules', name), join(root, 'node_modules', name)].find((path) => existsSync(path));
    if (at === undefined || found.has(at)) continue;
    found.add(at);
    dependencies(at, found);
  }
  return found;
}

/** Leaves out what only compiling needs. */
function running(path: string): string | undefined {
  return /(^|\/)(obj\.target|\.deps|node-addon-api)(\/|$)/.test(path) ? undefined : path;
}

/** plugd as `npm install -g` leaves it: what package.json's `files` names, the built addon, and its dependencies. */
function writePlugd(cpio: CpioWriter): void {
  const home = 'usr/lib/node_modules/plugd';
  const place = (path: string) => {
    if (existsSync(join(root, path))) cpio.copy(join(root, path), `${home}/${path}`);
  };
  const built = ['plugd.node', 'plugd-request'].map((name) => `native/build/Release/${name}`);
  for (const path of ['package.json', 'rules', ...built]) place(path);
  for (const name of readdirSync(join(root, 'dist'))) if (/\.(cjs|cache)$/.test(name)) place(`dist/${name}`);
  for (const path of dependencies(root)) cpio.copy(path, `${home}/${path.slice(root.length + 1)}`, running);
  cpio.link('usr/bin/plugd', '../lib/node_modules/plugd/dist/plugd.cjs');
}

/** Writes the whole file system for one machine to `target`: the cached archive, plugd, the test's files. */
export function writeInitrd(image: Image, files: GuestFiles, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(image.base, target);
  const cpio = new CpioWriter(target);
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string' || content instanceof Uint8Array) cpio.file(name, content);
    else if ('link' in content) cpio.link(name, content.link);
    else if (content.mode === undefined) cpio.copy(content.from, name);
    else cpio.file(name, readFileSync(content.from), content.mode);
  }
  writePlugd(cpio);
  cpio.end();
  // QEMU leaves the firmware 160 KiB at the top of memory behind the initrd. If SeaBIOS should take more, it overwrites the
  // archive's end; the kernel passes over zeroes.
  appendFileSync(target, Buffer.alloc(1 << 20));
}
