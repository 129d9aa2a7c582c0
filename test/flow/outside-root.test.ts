/** The owner of an image cannot make root's plugd read or write outside of it, by links of any kind, absolute or `..` paths in lists. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { diagnosticsRig, KERNEL } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const TREE = `lib/modules/${KERNEL}`;
/** What the host has and nobody may see: a module, a rule, a secret that is all of these. */
const SECRET = 'blacklist topsecret\noptions topsecret word=topsecret\ntopsecret\n';

const CONFIG = [
  'etc/modprobe.d/a.conf',
  'etc/depmod.d/a.conf',
  'etc/modules-load.d/a.conf',
  'etc/udev/rules.d/80-drivers.rules',
  'etc/modules',
  'etc/modprobe.conf',
  'etc/plugd/policy.conf',
  'etc/initramfs-tools/modules',
  'etc/kernel/cmdline',
  'proc/cmdline',
  'proc/modules',
  `boot/config-${KERNEL}`,
  `boot/initrd.img-${KERNEL}`,
  `boot/symvers-${KERNEL}.gz`,
  `boot/System.map-${KERNEL}`,
  `${TREE}/build/.config`,
  `${TREE}/build/Module.symvers`,
];
const INDEXES = [
  'modules.dep',
  'modules.alias',
  'modules.symbols',
  'modules.softdep',
  'modules.weakdep',
  'modules.devname',
  'modules.order',
  'modules.builtin',
  'modules.builtin.modinfo',
].flatMap((name) => [
  `${TREE}/${name}`,
  ...(/order|modinfo|softdep|weakdep|devname/.test(name) ? [] : [`${TREE}/${name}.bin`]),
]);
const MODULES = [
  'virtio/virtio.ko',
  'virtio/virtio_pci.ko',
  'net/virtio_net.ko',
  'char/other.ko',
  'gpu/nouveau.ko',
].map((file) => `${TREE}/kernel/${file}`);

/** How a name of the image leads to its file outside. */
const LINKS: Readonly<Record<string, (link: string, outside: string) => void>> = {
  'an absolute link': (link, outside) => {
    symlinkSync(outside, link);
  },
  'a relative link that climbs': (link, outside) => {
    symlinkSync(relative(dirname(link), outside), link);
  },
  'a link of the folder': (link, outside) => {
    rmSync(dirname(link), { recursive: true, force: true });
    symlinkSync(dirname(outside), dirname(link));
  },
};

type Rig = ReturnType<typeof diagnosticsRig>;

/** Every file below a folder: its contents, and whether it was read since `hide`. */
function state(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const stat = statSync(join(folder, name));
      if (stat.isDirectory()) return [name, 'folder'];
      const read = stat.atimeMs > OLD.getTime() ? 'read' : 'unread';
      // Reading it here would count.
      return [name, `${stat.size} ${stat.mtimeMs} ${read}`];
    }),
  );
}

/** An access in the past, before the last change: the next read moves it, even where a file system keeps access times lazily. */
const OLD = new Date(1_000_000_000_000);

function plant(rig: Rig, path: string): string {
  const flat = createHash('sha1').update(dirname(path)).digest('hex').slice(0, 8);
  const name = `outside/${flat}/${basename(path)}`;
  rig.put(name, path.endsWith('.ko') ? moduleImage({ modinfo: ['description=topsecret'] }) : SECRET);
  utimesSync(join(rig.base, name), OLD, new Date());
  return join(rig.base, name);
}

const COMMANDS: ReadonlyArray<readonly string[]> = [
  ['doctor', '-v'],
  ['test', '/devices/pci0/0000:00:01.0/virtio0', '/devices/platform/other'],
  ['why', 'virtio_net'],
  ['coldplug', '-n', '--json'],
];

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

/** Asks everything, and builds indexes of the image, which is an ordinary user's: the texts that came out. */
function askAll(rig: Rig): string {
  const texts = COMMANDS.map(([command = '', ...args]) => {
    const { stdout, stderr } = rig.run(command, ...args);
    return stdout + stderr;
  });
  const depmod = join(rig.base, 'depmod');
  if (!existsSync(depmod)) symlinkSync(join(import.meta.dirname, '../../../dist/plugd.cjs'), depmod);
  if (isRoot) chownSync(join(rig.base, 'root'), NOBODY, NOBODY);
  // In a tree of one's own links lead where they lead, as for kmod.
  for (const args of isRoot ? [['-n'], ['-A'], []] : []) {
    const ended = spawnSync(process.execPath, [depmod, ...args, '-b', join(rig.base, 'root'), KERNEL], {
      encoding: 'utf8',
    });
    texts.push(ended.stdout + ended.stderr);
  }
  return texts.join('\n');
}

/** Whether reading a file here leaves a trace in its access time. */
function seesReads(rig: Rig): boolean {
  const file = plant(rig, 'control');
  readFileSync(file);
  return statSync(file).atimeMs > OLD.getTime();
}

function isUntouched(t: Test, rig: Rig, before: ReturnType<typeof state>, said: string): void {
  t.notMatch(said, /topsecret/, 'nothing of it is shown');
  t.same(state(join(rig.base, 'outside')), before, 'nothing of it is read, changed or added');
}

for (const [link, make] of Object.entries(LINKS)) {
  for (const [what, files] of Object.entries({
    'configuration and boot': CONFIG,
    indexes: INDEXES,
    modules: MODULES,
  })) {
    t.test(`${what}: ${link}`, (t) => {
      const rig = diagnosticsRig(t);
      const traced = seesReads(rig);
      rmSync(join(rig.base, 'outside'), { recursive: true });
      for (const path of files) {
        const outside = plant(rig, path);
        mkdirSync(dirname(join(rig.base, 'root', path)), { recursive: true });
        rmSync(join(rig.base, 'root', path), { force: true });
        if (existsSync(dirname(join(rig.base, 'root', path)))) make(join(rig.base, 'root', path), outside);
      }
      const before = state(join(rig.base, 'outside'));
      if (!traced) t.comment('this file system keeps no access times: only what is shown and written is checked');
      isUntouched(t, rig, before, askAll(rig));
      t.end();
    });
  }
}

t.test('paths in lists: absolute, and with ..', (t) => {
  const rig = diagnosticsRig(t);
  const secret = plant(rig, 'evil.ko');
  const climbing = relative(join(rig.base, 'root', TREE), secret);
  const lines = [secret, climbing, `kernel/../${climbing}`].map(
    (path, i) => `${path}: ${i === 0 ? climbing : secret}\n`,
  );
  rig.put(`root/${TREE}/modules.dep`, `${lines.join('')}kernel/char/other.ko: ${secret}\n`);
  rig.put(`root/${TREE}/modules.alias`, 'alias platform:other other\nalias pci:v000010DEd* evil\n');
  rig.put(`root/${TREE}/modules.order`, `${secret}\n${climbing}\n`);
  rig.put('root/etc/depmod.d/a.conf', `search external built-in\nexternal ${KERNEL} ${dirname(secret)}\n`);
  rig.put('root/etc/modprobe.d/a.conf', `include ${secret}\ninstall other cat ${secret}\n`);
  rig.put('root/boot/loader/entries/a.conf', `linux ${secret}\ninitrd ${secret}\ninitrd ../../../..${secret}\n`);
  const before = state(join(rig.base, 'outside'));
  // The paths are the image's own words: what must not show is what they lead to.
  isUntouched(t, rig, before, askAll(rig));
  t.end();
});

/** Exchanges names with links to the outside, over and over, until it is killed; says how often at the end of its input. */
const RACER = `
import { renameSync, rmSync, symlinkSync } from 'node:fs';
let swaps = 0;
process.stdin.once('data', () => { console.log(swaps); process.exit(); });
const turn = () => {
  for (const [path, target] of JSON.parse(process.argv[1])) {
    renameSync(path, path + '.kept');
    // depmod may have made a new one by now.
    rmSync(path, { recursive: true, force: true });
    try { symlinkSync(target, path); } catch {}
    rmSync(path, { recursive: true, force: true });
    try {
      renameSync(path + '.kept', path);
    } catch {
      rmSync(path, { recursive: true, force: true });
      renameSync(path + '.kept', path);
    }
    swaps++;
  }
  setImmediate(turn);
};
turn();
console.log('ready');
`;

t.test('links that come and go meanwhile', async (t) => {
  const rig = diagnosticsRig(t, { 'root/etc/modprobe.d/a.conf': 'blacklist loop\n', 'root/etc/depmod.d/a.conf': '\n' });
  const traced = seesReads(rig);
  rmSync(join(rig.base, 'outside'), { recursive: true });
  const paths = [
    'etc/modprobe.d/a.conf',
    'etc/depmod.d',
    `${TREE}/modules.alias`,
    `${TREE}/kernel/net`,
    'lib/firmware',
    TREE,
  ];
  for (const path of [...CONFIG, ...INDEXES, ...MODULES]) plant(rig, path);
  const races = paths.map((path) => {
    const isFolder = statSync(join(rig.base, 'root', path)).isDirectory();
    const outside = plant(rig, isFolder ? `${path}/x` : path);
    return [join(rig.base, 'root', path), isFolder ? dirname(outside) : outside];
  });
  const racer = spawn(process.execPath, ['--input-type=module', '-e', RACER, JSON.stringify(races)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let told = '';
  racer.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  await new Promise((resolve) => racer.stdout.once('data', resolve));
  const before = state(join(rig.base, 'outside'));
  const texts = [askAll(rig), askAll(rig), askAll(rig)];
  racer.stdin.end('stop');
  await new Promise((resolve) => racer.once('close', resolve));
  t.comment(
    `${told.split('\n')[1] ?? ''} exchanges meanwhile${traced ? '' : '; this file system keeps no access times'}`,
  );
  isUntouched(t, rig, before, texts.join('\n'));
});
