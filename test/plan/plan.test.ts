/** What plan.ts promises of every plan, whatever the tree and configuration. */
import t from 'tap';
import type { Plan } from '../../agent/plan/plan.ts';
import type { PlanOptions } from '../../agent/plan/planner.ts';
import { Random } from '../fixtures/random.ts';
import { open, TREE, type Given } from './plan-rig.ts';

type Promise = readonly [rule: string, holds: (plan: Plan) => boolean];

const PROMISES: readonly Promise[] = [
  [
    'steps or reasons that block the target, never both',
    ({ steps, blocked }) => steps.length === 0 || blocked.length === 0,
  ],
  ['each module is one step', ({ steps }) => new Set(steps.map(({ module }) => module)).size === steps.length],
  [
    'a step comes after every module in its edges',
    ({ steps }) => {
      const seen = new Set<string>();
      return steps.every(({ module, after }) => {
        const fine = after.every((edge) => seen.has(edge.module));
        seen.add(module);
        return fine;
      });
    },
  ],
  [
    'a step has each edge once',
    ({ steps }) => steps.every(({ after }) => new Set(after.map(({ module }) => module)).size === after.length),
  ],
  [
    'the target is a step, and required, when there are steps',
    ({ target, steps }) => steps.length === 0 || steps.some(({ module, required }) => module === target && required),
  ],
  [
    'whatever a required step requires is required too',
    ({ steps }) => {
      const required = new Set(steps.filter((step) => step.required).map(({ module }) => module));
      return steps.every(
        (step) => !step.required || step.after.every((edge) => !edge.required || required.has(edge.module)),
      );
    },
  ],
  [
    'the first time a module is printed is its step',
    ({ steps, printed }) => {
      const firsts = printed.filter((step, at) => printed.findIndex(({ module }) => module === step.module) === at);
      return firsts.map(({ module }) => module).join() === steps.map(({ module }) => module).join();
    },
  ],
  [
    'all but the target say for which module they are there',
    ({ steps }) => steps.every((step) => (step.why === 'target') === (step.for === undefined)),
  ],
  [
    'params are the texts of their origins',
    ({ steps }) => steps.every(({ params, origins }) => params === origins.map(({ text }) => text).join(' ')),
  ],
  [
    'only softdeps have a place',
    ({ steps }) => steps.every(({ why, place }) => place === undefined || why.startsWith('softdep')),
  ],
];

/** A random configuration over the modules of a tree, its cycles included. */
function randomGiven(random: Random): Given {
  const names = ['a', 'b', 'c', 'd', 'e_e', 'x', 'y', 'z', 'p1', 'gap', 'outside', 'k', 'foo'];
  const list = () => Array.from({ length: random.below(4) }, () => random.of(names)).join(' ');
  const lines = Array.from({ length: random.below(8) }, () =>
    random.of([
      () => `softdep ${random.of(names)} pre: ${list()} post: ${list()}`,
      () => `install ${random.of(names)} cmd $CMDLINE_OPTS`,
      () => `options ${random.of(names)} n=${random.below(9)}`,
      () => `alias foo ${random.of(names)}`,
      () => `softdep ${random.of(['*', 'e-*', '?'])} pre: ${list()}`,
    ])(),
  );
  return {
    conf: lines.join('\n'),
    commandLine: random.below(4) === 0 ? `module_blacklist=${random.of(names)}` : '',
    builtin: ['k'],
    loaded: Object.fromEntries(
      names.filter(() => random.below(4) === 0).map((name) => [name, random.of(['live', 'coming'] as const)]),
    ),
  };
}

t.test('what every plan promises (seeded)', (t) => {
  const random = new Random(21);
  const kinds = { steps: 0, blocked: 0, nothing: 0 };
  for (let round = 0; round < 1500; round++) {
    const given = randomGiven(random);
    const options: PlanOptions = {
      ignoreLoaded: random.below(3) === 0,
      ignoreCommands: random.below(4) === 0,
      firstTime: random.below(4) === 0,
    };
    const name = random.of([...Object.keys(TREE), 'gap', 'outside', 'k', 'foo']);
    for (const plan of open(given)(name, options)) {
      kinds[plan.steps.length > 0 ? 'steps' : plan.blocked.length > 0 ? 'blocked' : 'nothing']++;
      for (const [rule, holds] of PROMISES) {
        if (!holds(plan)) t.fail(`${rule}: ${name} ${JSON.stringify(options)} of ${JSON.stringify(given)}`);
      }
    }
  }
  t.ok(kinds.steps > 300 && kinds.blocked > 100 && kinds.nothing > 20, JSON.stringify(kinds));
  t.end();
});

t.test('softdeps that tie all modules together', (t) => {
  const conf = ['a', 'b', 'c', 'd', 'e_e', 'x', 'y', 'z'].map((name, i, all) => {
    const other = (by: number) => all[(i + by) % all.length];
    return `softdep ${name} pre: ${other(3)} ${other(5)} post: ${other(1)} ${other(6)}\n`;
  });
  const plan = open({ conf: conf.join('') });
  for (const name of ['a', 'c', 'e_e', 'x', 'z']) {
    const seen = new Set<string>();
    for (const step of plan(name)[0]?.steps ?? []) {
      t.notOk(seen.has(step.module), `${name}: ${step.module} once`);
      t.ok(
        step.after.every(({ module }) => seen.has(module)),
        `${name}: ${step.module} after its edges`,
      );
      seen.add(step.module);
    }
    t.equal(seen.size, 8, `${name}: all of them`);
  }
  t.end();
});
