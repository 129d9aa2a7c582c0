import t from 'tap';
import { moduleName, type ModuleName } from '../../agent/base/names.ts';
import { createMatcher } from '../../agent/match/matcher.ts';
import type { Index } from '../../agent/indexes/trie.ts';
import { createRemovalPlanner, type RemovalOptions, type RemovalPlan } from '../../agent/plan/removal-planner.ts';
import { emptyConfig } from '../../agent/rules/modprobe/config.ts';
import { configuredNames } from '../../agent/rules/modprobe/merged-config.ts';
import { parseModprobeConf } from '../../agent/rules/modprobe/modprobe-conf.ts';

/** Dependencies, nearest first. */
const TREE: Readonly<Record<string, string>> = { a: '', b: 'a', c: 'b a', d: 'a', x: '', y: '', z: 'y' };

interface Given {
  readonly conf?: string;
  /** Loaded modules with their use counts; holders are the loaded modules that `holders` names. */
  readonly loaded?: Readonly<Record<string, number>>;
  readonly holders?: Readonly<Record<string, string>>;
  readonly builtin?: string;
  readonly options?: RemovalOptions;
}

function indexOf(entries: Readonly<Record<string, string>>): Index {
  const map = new Map(Object.entries(entries));
  return { exact: (key) => map.get(key), search: () => [], entries: () => [] };
}

function planOf(name: string, given: Given): RemovalPlan | undefined {
  const config = emptyConfig();
  parseModprobeConf({ file: 'conf', text: given.conf ?? '' }, config);
  const lines = Object.entries(TREE).map(([module, depends]) => [
    module,
    `${module}.ko: ${depends.replaceAll(/\w+/g, '$&.ko')}`,
  ]);
  const indexes = {
    dep: indexOf(Object.fromEntries(lines)),
    builtin: indexOf(given.builtin === undefined ? {} : { [given.builtin]: '' }),
  };
  const matcher = createMatcher(indexes, configuredNames(config));
  const lookup = matcher.lookup(name);
  const [candidate] = lookup.kind === 'found' ? lookup.candidates : [];
  if (candidate === undefined) return undefined;
  const planner = createRemovalPlanner({
    matcher,
    config,
    moduleDir: '/m',
    state: (module: ModuleName) => (given.loaded?.[module] === undefined ? undefined : 'live'),
    refcount: (module: ModuleName) => given.loaded?.[module],
    holders: (module: ModuleName) => (given.holders?.[module]?.split(' ') ?? []).map((holder) => moduleName(holder)),
  });
  return planner.plan(candidate, name, given.options);
}

/** `rmmod NAME`, `run COMMAND` or `! NAME WHY` of each step, and where it goes on after a failure if not at the end. */
function shape(plan: RemovalPlan | undefined): string {
  const words = plan?.steps.map((step, at) => {
    const otherwise = step.otherwise === plan.steps.length || step.kind === 'refused' ? '' : `+${step.otherwise - at}`;
    if (step.kind === 'remove') return `${step.module}${otherwise}`;
    return step.kind === 'command' ? `run:${step.command.text}${otherwise}` : `!${step.module}:${step.because}`;
  });
  return words?.join(' ') ?? 'none';
}

const SHAPES: ReadonlyArray<readonly [rule: string, name: string, given: Given, expected: string]> = [
  ['a loaded module', 'x', { loaded: { x: 0 } }, 'x'],
  ['a module that is not loaded', 'x', {}, ''],
  ['… the first time', 'x', { options: { firstTime: true } }, '!x:not-loaded'],
  ['a builtin module', 'k', { builtin: 'k' }, '!k:builtin'],
  ['a module in use', 'x', { loaded: { x: 1 } }, '!x:in-use'],
  ['… is tried with wait', 'x', { loaded: { x: 1 }, options: { wait: true } }, 'x'],
  ['dependencies that nothing uses go too', 'b', { loaded: { a: 1, b: 0 }, holders: { a: 'b' } }, 'b a'],
  ['dependencies that something else uses stay', 'b', { loaded: { a: 2, b: 0, d: 0 }, holders: { a: 'b d' } }, 'b'],
  [
    'dependencies are looked at once, deepest first, as in kmod',
    'c',
    { loaded: { a: 2, b: 1, c: 0 }, holders: { a: 'b c', b: 'c' } },
    'c b',
  ],
  ['counts that stay', 'b', { loaded: { a: 1, b: 0 }, holders: { a: 'b' }, options: { countsStay: true } }, 'b'],
  ['dependencies go without their softdeps', 'b', { loaded: { a: 0, b: 0, x: 0 }, conf: 'softdep a post: x' }, 'b a'],
  [
    'softdeps: post before, pre after, last first',
    'x',
    { loaded: { a: 0, b: 0, x: 0, y: 0, z: 0 }, conf: 'softdep x pre: a y post: z d' },
    'z+2 y+1 x a',
  ],
  ['softdeps that are not loaded', 'x', { loaded: { x: 0 }, conf: 'softdep x pre: a post: y' }, 'x'],
  ['softdeps that are built in', 'x', { loaded: { x: 0 }, builtin: 'k', conf: 'softdep x pre: k' }, 'x'],
  [
    'a busy post softdep ends the plan, as in kmod',
    'x',
    { loaded: { x: 0, y: 1 }, conf: 'softdep x post: y' },
    '!y:in-use',
  ],
  [
    '… unless it goes on',
    'x',
    { loaded: { x: 0, y: 1 }, conf: 'softdep x post: y', options: { goOn: true } },
    '!y:in-use x',
  ],
  [
    'a busy pre softdep is reported after the module is gone',
    'x',
    { loaded: { x: 0, y: 1, a: 0 }, conf: 'softdep x pre: a y' },
    'x !y:in-use',
  ],
  [
    'softdeps of softdeps',
    'x',
    { loaded: { x: 0, y: 0, a: 0 }, conf: 'softdep x pre: y\nsoftdep y post: a' },
    'x a+1 y',
  ],
  ['softdeps in a cycle end', 'x', { loaded: { x: 0, y: 0 }, conf: 'softdep x post: y\nsoftdep y post: x' }, 'y+1 x'],
  [
    'ignoreCommands: no softdeps',
    'x',
    { loaded: { x: 0, y: 0 }, conf: 'softdep x post: y\nremove x cmd', options: { ignoreCommands: true } },
    'x',
  ],
  ['a command instead', 'x', { loaded: { x: 0 }, conf: 'remove x* cmd $CMDLINE_OPTS.' }, 'run:cmd .'],
  [
    'a command runs even if it is not loaded or in use',
    'b',
    { loaded: { a: 0, b: 3 }, conf: 'remove b cmd' },
    'run:cmd',
  ],
  ['a command of a module that only it knows', 'foo', { conf: 'remove foo cmd' }, 'run:cmd'],
  [
    'a command and softdeps',
    'x',
    { loaded: { a: 0, y: 0 }, conf: 'remove x cmd\nsoftdep x pre: a post: y' },
    'y+1 run:cmd a',
  ],
  [
    'holders, last first',
    'a',
    { loaded: { a: 2, b: 0, d: 0 }, holders: { a: 'b d' }, options: { removeHolders: true } },
    'd b a',
  ],
  [
    'a holder that is held itself ends the plan',
    'a',
    { loaded: { a: 1, b: 1, c: 0 }, holders: { a: 'b', b: 'c' }, options: { removeHolders: true } },
    '!b:in-use',
  ],
  [
    '… also when it goes on',
    'a',
    { loaded: { a: 1, b: 1 }, holders: { a: 'b', b: 'c' }, options: { removeHolders: true, goOn: true } },
    '!b:in-use',
  ],
  [
    'a holder that takes the module with it',
    'a',
    { loaded: { a: 1, b: 0 }, holders: { a: 'b' }, options: { removeHolders: true } },
    'b a',
  ],
  [
    'a module that is used otherwise too',
    'a',
    { loaded: { a: 2, b: 0 }, holders: { a: 'b' }, options: { removeHolders: true } },
    'b !a:in-use',
  ],
  ['ignoreLoaded: as if it were loaded', 'b', { options: { ignoreLoaded: true } }, 'b'],
  ['a name that nothing has', 'nothing', {}, 'none'],
];

t.test('what is removed, in which order', (t) => {
  for (const [rule, name, given, expected] of SHAPES) t.equal(shape(planOf(name, given)), expected, rule);
  t.end();
});

t.test('steps say why, for whom, and whether they must succeed', (t) => {
  const plan = planOf('b', {
    loaded: { a: 1, b: 1, c: 0, x: 0, y: 0 },
    holders: { a: 'b', b: 'c' },
    conf: 'softdep b pre: x post: y',
    options: { removeHolders: true },
  });
  t.same(
    plan?.steps.map(({ kind, module, why, for: wanting, required, otherwise }) => [
      kind,
      module,
      why,
      wanting,
      required,
      otherwise,
    ]),
    [
      ['remove', 'y', 'softdep-post', 'b', false, 1],
      ['remove', 'c', 'holder', 'b', true, 5],
      ['remove', 'b', 'target', undefined, true, 5],
      ['remove', 'a', 'unused', 'b', false, 4],
      ['remove', 'x', 'softdep-pre', 'b', false, 5],
    ],
  );
  t.match(planOf('a', { loaded: { a: 3 }, holders: { a: 'b d' } })?.steps, [{ refcount: 3, holders: ['b', 'd'] }]);
  t.match(planOf('x', { conf: '\nremove x  c $CMDLINE_OPTS' })?.steps, [
    { command: { text: ' c ', raw: ' c $CMDLINE_OPTS', place: { file: 'conf', line: 2 } } },
  ]);
  t.end();
});
