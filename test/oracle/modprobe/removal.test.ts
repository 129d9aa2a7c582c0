/**
 * Removal plans against Debian's `modprobe -r -n -v`, which sees a made-up /sys/module: a machine with some hundred modules
 * loaded, each counted by those that need it, some in use.
 */
import { mkdirSync, opendirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { moduleName, moduleNameFromPath, type ModuleName } from '../../../agent/base/names.ts';
import { createRemovalPlanner, type RemovalOptions, type RemovalPlan } from '../../../agent/plan/removal-planner.ts';
import { needCommands, runProgram } from '../../fixtures/commands.ts';
import { debianTree } from '../../fixtures/debian.ts';
import { Random } from '../../fixtures/random.ts';
import { configArguments, openTree, treeArguments, withFileAt, writeSet, type ConfigSet } from './modprobe.ts';

const FLAGS: ReadonlyArray<readonly [flags: readonly string[], options: RemovalOptions]> = [
  [[], {}],
  [['-a'], { goOn: true }],
  [['--remove-holders'], { removeHolders: true }],
  [['-i'], { ignoreCommands: true }],
  [['--first-time'], { firstTime: true }],
  [['-w', '1'], { wait: true }],
  [['-D'], { ignoreLoaded: true }],
];

/**
 * Softdeps without cycles, which modprobe does not survive, and without a holder that names what it holds, which it
 * removes twice.
 */
const CONFIG: ConfigSet = {
  'a/a.conf': `
softdep e1000e pre: mii libphy post: tun
softdep ixgbe pre: e1000e no-such-module
softdep usb_storage post: uas
softdep snd_* pre: mii
softdep dm_mirror post: dm_snapshot
remove tun echo bye $CMDLINE_OPTS
remove dm_l* echo dm
remove plugd-only-removed echo only
`,
};

const tools = await needCommands(['modprobe', 'unshare']);
const tree = await debianTree('amd64');
const skip = (tools.kind === 'missing' && tools.sentence) || (tree.kind === 'missing' && tree.sentence);

t.test('modprobe -r -n -v of loaded and other modules, with every flag', { skip }, async (t) => {
  if (tree.kind === 'missing') throw new Error(tree.sentence);
  const random = new Random(1);
  const root = t.testdir({ module: {} });
  const paths = writeSet(root, CONFIG);
  const { matcher, config, host, modules } = openTree(tree, paths);
  const depends = (name: ModuleName) =>
    matcher.dependencies(name)?.depends.map((path) => moduleNameFromPath(path)) ?? [];

  const wanted = [
    'e1000e',
    'ixgbe',
    'usb_storage',
    'uas',
    'tun',
    'dm_mirror',
    'dm_snapshot',
    'snd_hda_intel',
    'snd_hda_codec_hdmi',
  ].map((name) => moduleName(name));
  while (wanted.length < 80) wanted.push(random.of(modules));
  const loaded = new Set(wanted.flatMap((name) => [...depends(name), name]));
  const counts = new Map<ModuleName, number>();
  for (const name of loaded) {
    mkdirSync(join(root, 'module', name, 'holders'), { recursive: true });
    const extra = random.below(5) === 0 ? 1 + random.below(3) : 0;
    counts.set(name, extra);
  }
  for (const name of loaded) {
    for (const depend of depends(name)) {
      mkdirSync(join(root, 'module', depend, 'holders', name));
      counts.set(depend, (counts.get(depend) ?? 0) + 1);
    }
  }
  for (const [name, count] of counts) {
    writeFileSync(join(root, 'module', name, 'refcnt'), `${count}\n`);
    writeFileSync(join(root, 'module', name, 'initstate'), 'live\n');
  }

  const planner = createRemovalPlanner({
    matcher,
    config,
    moduleDir: host.moduleDir,
    state: (name) => (loaded.has(name) ? 'live' : undefined),
    refcount: (name) => counts.get(name),
    holders: (name) => directoryOrder(join(root, 'module', name, 'holders')),
  });
  const names = [
    ...loaded,
    'plugd-only-removed',
    'nothing-has-this-name',
    ...modules.filter((name) => !loaded.has(name)).slice(0, 20),
  ];
  let lines = 0;
  for (const [flags, options] of FLAGS) {
    const expected = names.map((name) => {
      const lookup = matcher.lookup(name);
      const [candidate] = lookup.kind === 'found' ? lookup.candidates : [];
      if (candidate === undefined) return `== ${name}\nstatus 1\n`;
      return `== ${name}\n${printed(planner.plan(candidate, name, { ...options, countsStay: true }), options.goOn === true)}`;
    });
    const each = 'for m; do echo "== $m"; $MODPROBE "$m"; echo "status $?"; done';
    const command = ['modprobe', ...treeArguments(tree), ...configArguments(paths), '-r', '-n', '-v', ...flags, '--'];
    const [program = '', ...args] = [
      ...withFileAt('/sys/module', join(root, 'module')),
      'sh',
      '-c',
      each,
      'sh',
      ...names,
    ];
    const ended = await runProgram(program, args, { env: { MODPROBE: command.join(' ') }, encoding: 'latin1' });
    t.equal(ended.stdout, expected.join(''), `modprobe -r ${flags.join(' ')}`);
    lines += ended.stdout.split('\n').length - 1 - 2 * names.length;
  }
  t.ok(lines > 300, `${lines} lines that remove something`);
});

/** What modprobe prints of a plan, and its status. */
function printed({ steps }: RemovalPlan, goesOn: boolean): string {
  const lines = steps.flatMap((step) => {
    if (step.kind === 'remove') return [`rmmod ${step.module}\n`];
    return step.kind === 'command' ? [`remove ${step.command.text}\n`] : [];
  });
  const last = steps.at(-1);
  const refused = steps.some((step) => step.kind === 'refused' && (step.required || (!goesOn && step === last)));
  return `${lines.join('')}status ${refused ? 1 : 0}\n`;
}

/** readdir(3)'s own order, which kmod keeps and node:fs sorts. */
function directoryOrder(path: string): ModuleName[] {
  const names: ModuleName[] = [];
  try {
    const directory = opendirSync(path);
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      names.push(moduleName(entry.name));
    directory.closeSync();
  } catch {
    // Not loaded: it has no holders.
  }
  return names;
}
