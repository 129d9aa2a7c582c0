/** modprobe.d and the kernel command line, through lookup, decision and plan; boot lists, which are read from the same places (those in YAML: cloud-config.ts). */
import { createMatcher } from '../../../agent/match/matcher.ts';
import { createPlanner } from '../../../agent/plan/planner.ts';
import { createRemovalPlanner } from '../../../agent/plan/removal-planner.ts';
import { parseBootLists } from '../../../agent/rules/boot/boot-list.ts';
import { decide } from '../../../agent/rules/modprobe/decision.ts';
import { commandLineOptions } from '../../../agent/rules/modprobe/kernel-command-line.ts';
import { configuredNames, mergeConfig } from '../../../agent/rules/modprobe/merged-config.ts';
import { indexOf } from '../../fixtures/index.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const INDEXES = {
  dep: indexOf([
    ['a', 'a.ko:', 0],
    ['b', 'b.ko: a.ko', 1],
    ['c', 'c.ko: b.ko a.ko', 2],
    ['p', 'p.ko: q.ko', 3],
    ['q', 'q.ko: p.ko', 4],
  ]),
  aliases: indexOf([
    ['x*', 'a', 0],
    ['xy', 'c', 2],
  ]),
  builtin: indexOf([['k', '', 0]]),
};
const NAMES = ['a', 'b', 'c', 'p', 'k', 'xy', 'foo'];
const SAMPLES = [
  'alias x* a\noptions a one=1 two="b c"\nblacklist b\ninstall c /bin/true $CMDLINE_OPTS; echo "x"\nremove c cmd\nsoftdep a pre: b post: c\n',
  '# a comment\nsoftdep a pre: b\nsoftdep b \\\n  post: a\nconfig x\ninclude y\nblacklist\n',
  'quiet modprobe.blacklist=a,b module_blacklist=c a.one=1 b.two="x y" modules_load=a,b rd.modules_load=c foo-bar.baz -- init\n',
  'br_netfilter\n# comment\n; other\nloop max_loop=8\n',
  'modules="a b"\nmodules_6_1="c"\nmodule_a_args="x=1"\n',
];
const DIRECTIVES = ['alias', 'options', 'blacklist', 'install', 'remove', 'softdep', 'weakdep', 'config', 'include'];
const WORDS = [
  ...DIRECTIVES.map((word) => `${word} `),
  'pre: ',
  'post: ',
  '\\\n',
  '\n',
  '"',
  "'",
  ' ',
  '\t',
  '*',
  '[',
  ']',
  '\\',
  '#',
  '.',
  '=',
  ',',
  'modprobe.blacklist=',
  'module_blacklist=',
  'modules_load=',
  '$CMDLINE_OPTS',
  '\xef\xbb\xbf',
  '\0',
  '\r\n',
  ...NAMES,
];

function compose(random: Random): Buffer {
  const word = () => (random.below(2) === 0 ? random.of(NAMES) : random.text('abxk*?[]-_\\".=', 0, 8));
  const words = () => Array.from({ length: random.below(6) }, word).join(' ');
  const line = () =>
    random.of([
      () => `softdep ${word()} pre: ${words()} post: ${words()}`,
      () => `${random.of(DIRECTIVES)} ${words()}`,
      () => `${word()}.${word()}=${word()} module_blacklist=${word()},${word()}`,
      () => words(),
    ])();
  return bytes(Array.from({ length: random.below(40) }, line).join(random.of(['\n', ' ', '\\\n', '\n\n'])));
}

function read(input: Buffer): void {
  const text = latin1(input);
  const file = { file: 'fuzz.conf', text };
  const lines = text.split('\n').length;
  const config = mergeConfig({ texts: [file], unread: [] }, { file: '/proc/cmdline', text });
  for (const { line, column, message } of config.problems) {
    check(line >= 0 && line <= lines && column >= 0 && column <= text.length + 1, 'a problem is inside the text');
    check(message !== '', 'a problem has a message');
  }
  const matcher = createMatcher(INDEXES, configuredNames(config));
  const facts = { matcher, config, moduleDir: '/m' };
  const planner = createPlanner({ ...facts, state: () => undefined });
  const removal = createRemovalPlanner({ ...facts, state: () => 'live', refcount: () => 0, holders: () => [] });
  for (const name of NAMES) {
    const lookup = matcher.lookup(name);
    if (lookup.kind !== 'found') continue;
    const decisions = decide(config, lookup, { commandsThatDoNothing: 'denied' });
    check(decisions.length === lookup.candidates.length, 'a decision for each candidate');
    for (const candidate of lookup.candidates.slice(0, 8)) {
      const plan = planner.plan(candidate, name);
      check(plan.steps.length === 0 || plan.blocked.length === 0, 'steps or blocks');
      for (const step of removal.plan(candidate, name).steps)
        check(step.otherwise >= 0, 'a removal knows where to continue');
    }
  }
  const { entries } = parseBootLists({
    lists: [file],
    hidden: [],
    etcModules: file,
    commandLine: file,
    openrc: file,
    kernel: '6.1.0',
    initramfsTools: [file],
  });
  for (const { place, name } of entries)
    check(place.line >= 1 && place.line <= lines && name !== '', 'an entry of a boot list has a line');
  check(
    commandLineOptions(text).every(({ name }) => name !== undefined),
    'an option has a name',
  );
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
