/** The hooks for kernels and initramfs builders, with a plugd and a builder's functions that note what they are asked. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const HOOKS = join(import.meta.dirname, '../../../../hooks');

/** A folder for PATH whose plugd prints `text` on standard output and ends with `status`. */
function programs(t: Test, text: string, status: number): string {
  const folder = t.testdir();
  writeFileSync(join(folder, 'plugd'), `#!/bin/sh\necho "$@" >> '${folder}/asked'\nprintf '${text}'\nexit ${status}\n`);
  chmodSync(join(folder, 'plugd'), 0o755);
  return folder;
}

function run(words: readonly string[], path: string, env: NodeJS.ProcessEnv = {}) {
  const [program = '', ...args] = words;
  return spawnSync(program, args, { encoding: 'utf8', env: { PATH: `${path}:/usr/bin:/bin`, ...env } });
}

const asked = (folder: string): string =>
  readdirSync(folder).includes('asked') ? readFileSync(join(folder, 'asked'), 'utf8').trim() : '';

const KERNEL: ReadonlyArray<
  readonly [rule: string, words: readonly string[], env: NodeJS.ProcessEnv, status: number, asks: string, said: RegExp]
> = [
  ['all is well', ['zz-plugd', '6.1'], {}, 0, 'doctor --next-kernel 6.1', /^$/],
  [
    'something would be lost',
    ['zz-plugd', '6.1', '/boot/vmlinuz'],
    {},
    1,
    'doctor --next-kernel 6.1',
    /^plugd: with Linux 6\.1:\nlost\n$/,
  ],
  ['plugd itself fails', ['zz-plugd', '6.1'], {}, 70, 'doctor --next-kernel 6.1', /^$/],
  ['the package is removed', ['zz-plugd', '6.1'], { DEB_MAINT_PARAMS: "'remove'" }, 1, '', /^$/],
  [
    'the package is configured',
    ['zz-plugd', '6.1'],
    { DEB_MAINT_PARAMS: "'configure' ''" },
    1,
    'doctor --next-kernel 6.1',
    /lost/,
  ],
  ['no version', ['zz-plugd'], {}, 1, '', /^$/],
  [
    'kernel-install add',
    ['60-plugd.install', 'add', '6.1', '/e', '/i'],
    {},
    1,
    'doctor --next-kernel 6.1',
    /^plugd: with Linux 6\.1:\nlost\n$/,
  ],
  ['kernel-install remove', ['60-plugd.install', 'remove', '6.1', '/e'], {}, 1, '', /^$/],
];

for (const [rule, [name = '', ...args], env, status, asks, said] of KERNEL) {
  t.test(`a new kernel: ${name}: ${rule}`, (t) => {
    const folder = programs(t, 'lost\\n', status);
    const ended = run([join(HOOKS, 'kernel', name), ...args], folder, env);
    t.same(
      [ended.status, ended.stdout, asked(folder)],
      [0, '', asks],
      'it never fails, and leaves standard output alone',
    );
    t.match(ended.stderr, said);
    t.end();
  });
}

t.test('without plugd no hook fails', (t) => {
  for (const [name, ...args] of [
    ['zz-plugd', '6.1'],
    ['60-plugd.install', 'add', '6.1'],
  ] as const) {
    const ended = run([join(HOOKS, 'kernel', name), ...args], '/nowhere');
    t.same([ended.status, ended.stdout, ended.stderr], [0, '', '']);
  }
  t.end();
});

/** How each builder calls its hook: its functions note what they get. */
const BUILDERS: Readonly<Record<string, { readonly shell: string; readonly script: (hook: string) => string }>> = {
  'initramfs-tools': {
    shell: 'sh',
    // Its hook sources the builder's functions by an absolute path; here they come first.
    script: (hook) =>
      `manual_add_modules() { echo "add $*"; }; version=6.1; eval "$(grep -v '^\\. /usr/share' '${hook}/plugd')"`,
  },
  dracut: {
    shell: 'bash',
    script: (hook) =>
      `set -eu; instmods() { echo "add $*"; }; dwarning() { echo failed; }; kernel=6.1 hostonly=yes; ` +
      `. '${hook}/99plugd/module-setup.sh'; check && depends && installkernel`,
  },
  mkinitcpio: {
    shell: 'bash',
    script: (hook) =>
      `add_module() { echo "add $*"; }; KERNELVERSION=6.1; . '${hook}/plugd'; build && help > /dev/null`,
  },
};

for (const [builder, { shell, script }] of Object.entries(BUILDERS)) {
  t.test(`${builder} gets the names, also of a machine with gaps; if plugd fails, none`, (t) => {
    for (const status of [0, 1]) {
      const folder = programs(t, 'virtio\\nvirtio_net\\n', status);
      const { stdout, status: ended } = run([shell, '-c', script(join(HOOKS, builder))], folder);
      t.same([ended, stdout.match(/virtio\w*/g)], [0, ['virtio', 'virtio_net']]);
      t.match(asked(folder), /^closure --kernel 6\.1 --names/);
    }
    const failing = run([shell, '-c', script(join(HOOKS, builder))], programs(t, '', 70));
    t.equal(failing.status, 0);
    t.notMatch(failing.stdout, /add \S|failed/);
    t.end();
  });
}

/** mkinitcpio(8), ABOUT INSTALL HOOKS: a `?` behind a module's name lets it be missing; otherwise that is an error, which is counted. */
const MKINITCPIO = `
  errors=0 added=()
  error() { errors=$((errors + 1)); echo "ERROR: $*" >&2; }
  add_module() {
    local name=\${1%\\?}
    if [[ $name == gone ]]; then [[ $1 == *\\? ]] || { error "module not found: $name"; return 1; }
    else added+=("$name"); fi
  }
  for unused in add_file add_dir add_binary add_firmware add_checked_modules add_all_modules add_runscript; do
    eval "$unused() { error '$unused was called'; }"
  done
  run_build_hook() {
    local hook=$1 MODULES=() BINARIES=() FILES=() SCRIPT=''
    unset -f build
    . "$hook" || return 1
    declare -f build > /dev/null && build
  }`;

t.test('mkinitcpio: a module that the tree lacks is no error, and the hook leaves its variables alone', (t) => {
  const folder = programs(t, 'virtio\\ngone\\nvirtio_net\\n', 1);
  const script = `${MKINITCPIO}
    KERNELVERSION=6.1 PATH_BEFORE=$PATH
    run_build_hook '${HOOKS}/mkinitcpio/plugd'
    echo "$? $errors \${added[*]} [$module$args] $([[ $PATH == "$PATH_BEFORE" ]] && echo same)"; help`;
  const ended = run(['bash', '--norc', '-c', script], folder);
  t.same([ended.stderr, ended.stdout.split('\n')[0]], ['', '0 0 virtio virtio_net [] same']);
  t.match(ended.stdout.split('\n')[1], /^Adds /);
  t.end();
});

/** How each builder calls the hook that puts plugd-lite in; its functions copy into `$DESTDIR`, as the real ones do. */
const LITE: Readonly<
  Record<string, { readonly shell: string; readonly script: (hook: string) => string; readonly start: string }>
> = {
  'initramfs-tools': {
    shell: 'sh',
    script: (hook) =>
      `copy_exec() { mkdir -p "$DESTDIR\${2%/*}"; cp "$1" "$DESTDIR$2"; }; ` +
      `eval "$(grep -v -e '^\\. /usr/share' -e '^exit' '${hook}/plugd-lite')"; cp '${hook}/plugd-lite-start' "$DESTDIR/start"`,
    start: 'start',
  },
  dracut: {
    shell: 'bash',
    script: (hook) =>
      `inst() { mkdir -p "$DESTDIR\${2%/*}"; cp "$1" "$DESTDIR$2"; }; inst_simple() { inst "$@"; }; ` +
      `inst_hook() { cp "$3" "$DESTDIR/$1-$2.sh"; }; initdir=$DESTDIR moddir='${hook}/99plugd-lite'; ` +
      `. '${hook}/99plugd-lite/module-setup.sh'; ! check || { depends && install; }`,
    start: 'pre-udev-50.sh',
  },
  mkinitcpio: {
    shell: 'bash',
    script: (hook) =>
      `add_file() { mkdir -p "$DESTDIR\${2%/*}"; cp "$1" "$DESTDIR$2"; }; add_binary() { add_file "$@"; }; BUILDROOT=$DESTDIR; ` +
      `add_runscript() { cp '${hook}/plugd-lite-start' "$DESTDIR/start"; echo run_earlyhook >> "$DESTDIR/start"; }; ` +
      `. '${hook}/plugd-lite'; build && help > /dev/null`,
    start: 'start',
  },
};

for (const [builder, { shell, script, start }] of Object.entries(LITE)) {
  t.test(`${builder}: plugd-lite is the loader, where it is installed`, (t) => {
    const folder = t.testdir({ installed: {}, image: {}, path: {} });
    const image = join(folder, 'image');
    for (const name of ['plugd-lite-0.1.0', 'plugd-request']) {
      const program = join(folder, 'installed', name);
      writeFileSync(program, `#!/bin/sh\necho "$@" >> '${folder}/asked'\nexit 1\n`);
      chmodSync(program, 0o755);
    }
    const norc = shell === 'bash' ? ['--norc'] : [];
    const [program, ...words] = [shell, ...norc, '-c', script(join(HOOKS, builder))];
    const without = run([program, ...words], join(folder, 'path'), { DESTDIR: image });
    t.same(
      [without.status, without.stdout, readdirSync(image).filter((name) => name !== 'start')],
      [0, '', []],
      'without it nothing changes',
    );
    // In PATH is a link, and the helper lies beside what it leads to.
    symlinkSync('../installed/plugd-lite-0.1.0', join(folder, 'path/plugd-lite'));
    const ended = run([program, ...words], join(folder, 'path'), { DESTDIR: image });
    t.same([ended.status, ended.stderr], [0, '']);
    const files = readdirSync(image, { recursive: true, encoding: 'utf8' });
    for (const name of ['plugd-lite', 'plugd-request', 'modprobe'])
      t.ok(
        files.some((file) => file.endsWith(`bin/${name}`)),
        name,
      );
    const goal = readlinkSync(join(image, files.find((file) => file.endsWith('bin/modprobe')) ?? ''));
    t.equal(goal.slice(goal.lastIndexOf('/') + 1), 'plugd-lite');
    const started = run(['sh', join(image, start)], join(folder, 'path'));
    t.same([started.status, asked(folder)], [0, 'coldplug -q -t 30'], 'it may fail: udevd loads then');
    t.end();
  });
}

t.test('each hook is a script that its shell can read', (t) => {
  for (const [shell, name] of [
    ['sh', 'initramfs-tools/plugd'],
    ['sh', 'initramfs-tools/plugd-lite'],
    ['sh', 'initramfs-tools/plugd-lite-start'],
    ['bash', 'dracut/99plugd/module-setup.sh'],
    ['bash', 'dracut/99plugd-lite/module-setup.sh'],
    ['sh', 'dracut/99plugd-lite/start.sh'],
    ['bash', 'mkinitcpio/plugd'],
    ['bash', 'mkinitcpio/plugd-lite'],
    ['sh', 'mkinitcpio/plugd-lite-start'],
    ['sh', 'kernel/60-plugd.install'],
    ['sh', 'kernel/zz-plugd'],
  ] as const)
    t.same(run([shell, '-n', join(HOOKS, name)], '/usr/bin').stderr, '', name);
  t.end();
});

t.test('initramfs-tools asks for what must run before', (t) => {
  mkdirSync(join(t.testdir(), 'x'));
  for (const name of ['plugd', 'plugd-lite', 'plugd-lite-start']) {
    const ended = run([join(HOOKS, 'initramfs-tools', name), 'prereqs'], '/nowhere');
    t.same([ended.status, ended.stdout, ended.stderr], [0, '', '']);
  }
  t.end();
});
