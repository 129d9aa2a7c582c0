/**
 * Lays plugd out below a root as a distribution's package does, from a clone that is built:
 *
 *     DESTDIR=/tmp/image PREFIX=/usr npm run install:system [-- --lite]      DESTDIR: / unless given; PREFIX: /usr
 *
 * The program is PREFIX/lib/plugd with a link in PREFIX/sbin; units, presets, completions and manual pages are where their readers look.
 * Nothing is switched on: drop-ins and hooks are in PREFIX/share/plugd, kmod's and dkms's names in PREFIX/lib/plugd/names. With --lite the
 * package has plugd-lite, too (npm run build:lite), and its commands' names lead to it; Node serves where it cannot be run.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { arch, argv, env, execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { COMMANDS as LITE_COMMANDS } from '../native/lite/build/bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The names under which plugd acts as kmod or dkms. */
const NAMES = ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo', 'depmod', 'dkms'];
const SHELLS = {
  bash: 'share/bash-completion/completions/plugd',
  zsh: 'share/zsh/vendor-completions/_plugd',
  fish: 'share/fish/vendor_completions.d/plugd.fish',
};
/** Where the addon is, and what belongs beside it. */
const NATIVE = 'native/build/Release';
/** The addon of the uevent socket, as npm ci verified it by its hash. */
const NETLINK = [`prebuilds/linux-${arch}/node.napi.node`, 'package.json', 'LICENSE'];

/** Writes below a folder; modes are 644 and 755 whatever the umask. */
class Target {
  constructor(top) {
    this.top = top;
  }

  path(to) {
    const path = join(this.top, to);
    const missing = [];
    for (let folder = dirname(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
    for (const folder of missing) {
      mkdirSync(folder);
      chmodSync(folder, 0o755);
    }
    return path;
  }

  text(to, data) {
    const path = this.path(to);
    writeFileSync(path, data);
    chmodSync(path, 0o644);
  }

  file(from, to) {
    const path = this.path(to);
    copyFileSync(join(root, from), path);
    chmodSync(path, (statSync(join(root, from)).mode & 0o111) === 0 ? 0o644 : 0o755);
  }

  folder(from, to) {
    for (const entry of readdirSync(join(root, from), { withFileTypes: true })) {
      if (entry.isDirectory()) this.folder(join(from, entry.name), join(to, entry.name));
      else this.file(join(from, entry.name), join(to, entry.name));
    }
  }

  /** A link to another path of the target. */
  link(to, goal) {
    symlinkSync(relative(dirname(join(this.top, to)), join(this.top, goal)), this.path(to));
  }
}

/** The built files that are needed. An Error names the first that is missing. */
function needBuild() {
  for (const file of ['dist/plugd.cjs', 'native/build/Release/plugd.node', 'native/build/Release/plugd-request']) {
    if (!existsSync(join(root, file))) throw new Error(`${file} is missing; run: npm ci && npm run build`);
  }
}

/**
 * Lays everything out below `top`, with `prefix` (`/usr`), and with plugd-lite if that is asked for. Errors: an Error that says what is
 * missing.
 */
export function installSystem(top, prefix, { lite = false } = {}) {
  needBuild();
  const target = new Target(join(top, prefix));
  const lib = 'lib/plugd';
  for (const name of readdirSync(join(root, 'dist'))) {
    if (/^(plugd(\..*)?|yaml)\.cjs$/.test(name)) target.file(`dist/${name}`, `${lib}/dist/${name}`);
  }
  for (const name of ['plugd.node', 'plugd-request']) {
    target.file(`native/build/Release/${name}`, `${lib}/native/build/Release/${name}`);
  }
  for (const name of ['code-caches.mjs', 'warm-up.cjs'])
    target.file(`agent/launch/${name}`, `${lib}/agent/launch/${name}`);
  for (const name of NETLINK) target.file(`node_modules/netlink/${name}`, `${lib}/node_modules/netlink/${name}`);
  target.folder('rules', `${lib}/rules`);
  target.text(`${lib}/package.json`, `${JSON.stringify({ name: 'plugd', version: version() })}\n`);
  target.link('sbin/plugd', `${lib}/dist/plugd.cjs`);
  installNames(target, lib, lite);
  installUnits(target);
  target.folder('hooks', 'share/plugd/hooks');
  for (const [shell, to] of Object.entries(SHELLS)) target.text(to, completion(shell));
  installPages(target);
  for (const name of [
    'README.md',
    'CHANGELOG.md',
    'docs/differences.md',
    'docs/control-socket.md',
    'deploy/policy.conf.example',
  ]) {
    target.file(name, `share/doc/plugd/${name.slice(name.lastIndexOf('/') + 1)}`);
  }
  for (const name of readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.schema.json'))) {
    target.file(`docs/${name}`, `share/doc/plugd/schemas/${name}`);
  }
  target.file('LICENSE', 'share/doc/plugd/copyright');
}

/** The names; those of plugd-lite's commands lead to it, by a launcher that takes Node's in its place. */
function installNames(target, lib, lite) {
  const own = lite ? NAMES.filter((name) => LITE_COMMANDS.includes(name)) : [];
  for (const name of NAMES) {
    const goal = own.includes(name) ? `${NATIVE}/plugd-name` : 'dist/plugd.cjs';
    target.link(`${lib}/names/${name}`, `${lib}/${goal}`);
  }
  if (!lite) return;
  for (const name of own) target.link(`${lib}/names/node/${name}`, `${lib}/dist/plugd.cjs`);
  const program = join(root, 'native/build/lite/plugd-lite');
  const asked = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (asked.error !== undefined || !asked.stdout.startsWith(`plugd-lite ${version()} `))
    throw new Error(`${program} is missing, or not of version ${version()}; run: npm run build:lite`);
  // Its version is in its name: one that an older package left behind is not taken for this one's.
  target.file('native/build/lite/plugd-lite', `${lib}/${NATIVE}/plugd-lite-${version()}`);
  // For people, and for the hooks that put it into an initramfs.
  target.link('sbin/plugd-lite', `${lib}/${NATIVE}/plugd-lite-${version()}`);
  const launcher = target.path(`${lib}/${NATIVE}/plugd-name`);
  const words = ['-Os', '-s', '-Wl,--build-id=none', `-DPLUGD_VERSION="${version()}"`, '-o', launcher];
  const { status, stderr, error } = spawnSync(env.CC ?? 'cc', [...words, join(root, 'native/name-launcher.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`native/name-launcher.c does not compile: ${error?.message ?? stderr}`);
  chmodSync(launcher, 0o755);
}

/** The manual pages, and one for each command that leads to the page about it: `man plugd-modprobe`. */
function installPages(target) {
  const pages = readdirSync(join(root, 'docs/man'));
  for (const page of pages) {
    const text = readFileSync(join(root, 'docs/man', page), 'utf8');
    installPage(target, page, text);
    for (const [, command] of text.matchAll(/^\.Ss plugd (\S+)$/gm)) {
      const own = `plugd-${command}.8`;
      if (!pages.includes(own)) installPage(target, own, `.so man8/${page}\n`);
    }
  }
}

function installPage(target, page, text) {
  target.text(`share/man/man${page.slice(page.lastIndexOf('.') + 1)}/${page}.gz`, gzipSync(text, { level: 9 }));
}

/** Units where systemd looks; drop-ins beside them, for who wants them. */
function installUnits(target) {
  for (const entry of readdirSync(join(root, 'systemd'), { withFileTypes: true })) {
    if (entry.isDirectory()) target.folder(`systemd/${entry.name}`, `share/plugd/systemd/${entry.name}`);
    else target.file(`systemd/${entry.name}`, `lib/systemd/system/${entry.name}`);
  }
  const units = readdirSync(join(root, 'systemd')).filter((name) => name.endsWith('.service'));
  const lines = units.map((name) => `disable ${name}\n`).join('');
  target.text('lib/systemd/system-preset/90-plugd.preset', `# An administrator decides who loads drivers.\n${lines}`);
}

/** `0.1.0`. */
export function version() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

function completion(shell) {
  const { status, stdout, stderr } = spawnSync(execPath, [join(root, 'dist/plugd.cjs'), 'completion', shell], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`plugd completion ${shell}: ${stderr}`);
  return stdout;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    installSystem(env.DESTDIR ?? '/', env.PREFIX ?? '/usr', { lite: argv.includes('--lite') });
  } catch (error) {
    console.error(`plugd: ${error.message}`);
    exit(1);
  }
}
