/**
 * A Debian of one's own to build and install out-of-tree modules in: this machine's files under an overlay in memory, with a
 * kernel's headers and compiler installed by apt, and a module tree of a few modules, so that each depmod is short.
 *
 *     ~/.cache/plugd/dkms-6.1.0-56-amd64/layer.tar    what apt changed; with it a root starts in a second
 *
 * Each program gets a new root, in a mount namespace that ends with it. It needs root, Linux's overlay over `/`, and apt.
 */
import { existsSync, mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cached, noteFailure, recentFailure } from '../../fixtures/cache.ts';
import { lastComplaint, needCommands, runProgram, type Ended } from '../../fixtures/commands.ts';
import { debianTree, type Missing } from '../../fixtures/debian.ts';

/** What roots for a kernel (`6.1.0-56-amd64`) are made of. */
export interface DkmsRoot {
  readonly kind: 'ready';
  readonly kernel: string;
  readonly layer: string;
}

/** A folder of this machine that a root shows at `inside`; read only unless `writable`. */
export interface Shown {
  readonly outside: string;
  readonly inside: string;
  readonly writable?: boolean;
}

/** The modules of the kernel that stay: one for the tree's sake, and those that Debian's packages bring, too. */
const MODULES = [
  'drivers/net/dummy.ko',
  'drivers/platform/x86/hdaps.ko',
  'drivers/hid/hid-kye.ko',
  'drivers/hid/hid-uclogic.ko',
  'drivers/hid/hid-polostar.ko',
];

const PACKAGES = ['gawk', 'gcc', 'kmod', 'make', 'openssl', 'patch', 'xz-utils', 'zstd'];

/** Arguments: a folder, a layer or `-`, the file for a new layer or `-`, then triples of shown folders, `--`, and the program. */
const ENTER = `
  set -e
  place=$1 layer=$2 keep=$3
  shift 3
  mount -t tmpfs tmpfs "$place"
  mkdir "$place/changes" "$place/work" "$place/root"
  [ "$layer" = - ] || tar --xattrs --xattrs-include='*' -C "$place/changes" -xf "$layer"
  root=$place/root
  mount -t overlay overlay -o "lowerdir=/,upperdir=$place/changes,workdir=$place/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/run"
  while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
  done
  shift
  # What the caller set for its own Node and make is not for the programs in here.
  chroot "$root" env -u NODE_OPTIONS -u NODE_EXTRA_CA_CERTS -u NODE_V8_COVERAGE -u MAKEFLAGS -u MAKELEVEL HOME=/root \\
    PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$NODE_FOLDER" "$@" < /dev/null
  [ "$keep" = - ] || tar --xattrs --xattrs-include='*' -C "$place/changes" -cf "$keep" .`;

/** Arguments: the kernel, the folder of its whole tree, then the modules that stay. */
const INSTALL = `
  set -e
  kernel=$1 tree=$2
  shift 2
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends "linux-headers-$kernel" ${PACKAGES.join(' ')}
  modules=/lib/modules/$kernel
  for module; do
    [ ! -e "$tree/kernel/$module" ] || install -D -m 644 "$tree/kernel/$module" "$modules/kernel/$module"
  done
  cp "$tree"/modules.builtin* "$tree/modules.order" "$modules/"
  depmod "$kernel"
  rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/*`;

async function enter(
  layer: string,
  keep: string,
  shown: readonly Shown[],
  command: readonly string[],
  timeout?: number,
): Promise<Ended> {
  const place = mkdtempSync(join(tmpdir(), 'plugd-dkms-'));
  const node = dirname(realpathSync(process.execPath));
  const folders = node.startsWith('/usr/') ? shown : [...shown, { outside: node, inside: node }];
  const triples = folders.flatMap(({ outside, inside, writable }) => [
    outside,
    inside,
    writable === true ? 'rw' : 'ro',
  ]);
  try {
    return await runProgram(
      'unshare',
      [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        ENTER,
        'sh',
        place,
        layer,
        keep,
        ...triples,
        '--',
        ...command,
      ],
      { env: { NODE_FOLDER: node }, ...(timeout !== undefined && { timeout }) },
    );
  } finally {
    rmdirSync(place);
  }
}

/** What roots are made of, installed on the first call (a minute) and kept; or the sentence that says why there is none. */
export async function dkmsRoot(): Promise<DkmsRoot | Missing> {
  const missing = (why: string): Missing => ({
    kind: 'missing',
    sentence: `a root for DKMS cannot be had here: ${why}`,
  });
  if (process.getuid?.() !== 0) return missing('making one needs root.');
  const tools = await needCommands(['unshare', 'tar', 'apt-get', 'depmod']);
  if (tools.kind === 'missing') return tools;
  const tree = await debianTree('amd64');
  if (tree.kind === 'missing') return tree;
  const name = `dkms-${tree.kernel}`;
  const earlier = recentFailure(name);
  if (earlier !== undefined) return missing(earlier);
  let complaint = '';
  try {
    const folder = await cached(name, async (half) => {
      const whole = join(tree.root, 'lib/modules', tree.kernel);
      const shown = [{ outside: whole, inside: '/tmp/tree' }];
      const install = ['sh', '-c', INSTALL, 'sh', tree.kernel, '/tmp/tree', ...MODULES];
      const ended = await enter('-', join(half, 'layer.tar'), shown, install);
      if (ended.status === 0 && existsSync(join(half, 'layer.tar'))) return;
      complaint = lastComplaint(ended);
      throw new Error(complaint);
    });
    return { kind: 'ready', kernel: tree.kernel, layer: join(folder, 'layer.tar') };
  } catch (error) {
    if (complaint === '') throw error;
    noteFailure(name, complaint);
    return missing(complaint);
  }
}

/** Runs a program to its end, at most `timeout` milliseconds, in a new root that also shows some folders. */
export async function runInRoot(
  root: DkmsRoot,
  command: readonly string[],
  options: { shown?: readonly Shown[]; timeout?: number } = {},
): Promise<Ended> {
  return enter(root.layer, '-', options.shown ?? [], command, options.timeout);
}
