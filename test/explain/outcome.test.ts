import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { outcomeOf } from '../../agent/explain/outcome.ts';
import type { Answer } from '../../agent/load/answer.ts';
import type { Blocked, Plan } from '../../agent/plan/plan.ts';
import type { StepReport } from '../../agent/records/investigation.ts';

const name = (text: string) => text as ModuleName;
const place = { file: '/etc/modprobe.d/a.conf', line: 3 };
const candidate = { module: name('m'), source: 'modules.alias', pattern: 'x*', priority: 0 } as const;
const PLAN: Plan = { target: name('m'), steps: [], printed: [], blocked: [], notes: [] };
const step = (module: string, more: Partial<StepReport> = {}): StepReport => ({
  module: name(module),
  path: `/${module}.ko`,
  params: '',
  origins: [],
  why: module === 'm' ? 'target' : 'depends',
  required: true,
  state: 'absent',
  ...more,
});
const decided = (kind: Answer['decision']['kind'], reason = ''): Answer => ({
  decision: { kind, candidate, reason, place },
  plan: PLAN,
});
const blocked = (kind: Blocked['kind'], module = 'm'): Answer => ({
  decision: { kind: 'load', candidate, reason: '' },
  plan: { ...PLAN, blocked: [{ module: name(module), kind, reason: `${module}: ${kind}`, place }] },
});
const LOAD: Answer = { decision: { kind: 'load', candidate, reason: '' }, plan: PLAN };
const refusal = { cause: 'signature', errno: undefined, evidence: ['it is unsigned'], remedy: 'sign it' } as const;

/** The answer of match and rules, the steps, and the ending: verdict, cause, reason. */
const ROWS: ReadonlyArray<
  readonly [rule: string, answer: Answer, steps: readonly StepReport[], expected: string | RegExp, more?: object]
> = [
  ['built in', decided('builtin', 'm is built in'), [], 'builtin: m is built in'],
  [
    'blacklisted',
    decided('blacklisted', 'blacklist m'),
    [],
    'blacklisted: blacklist m (/etc/modprobe.d/a.conf:3)',
    { remedy: 'remove that line, or load it by name: modprobe m' },
  ],
  [
    'an install line that says never',
    decided('denied', 'install m /bin/false'),
    [],
    'denied: install m /bin/false (/etc/modprobe.d/a.conf:3) keeps it out',
    { remedy: /modprobe -i m/ },
  ],
  [
    'module_blacklist=',
    decided('kernel-blacklisted', 'module_blacklist=m'),
    [],
    'failed kernel-blacklist: module_blacklist=m (/etc/modprobe.d/a.conf:3)',
  ],
  ['no plan', { ...LOAD, plan: undefined }, [], 'no-match: '],
  ['a cycle', blocked('cycle'), [], 'failed cycle: m: cycle (/etc/modprobe.d/a.conf:3)', { remedy: /depmod/ }],
  ['its own file is not listed', blocked('missing-module'), [], /^failed missing-file: /],
  ['one that it needs is not listed', blocked('missing-module', 'n'), [], /^failed missing-dependency: n: /],
  [
    'one that it needs is in module_blacklist=',
    blocked('kernel-blacklisted', 'n'),
    [],
    /^failed kernel-blacklist: n: /,
  ],
  ['blocked as loaded', blocked('already-loaded'), [], /^loaded: /],
  ['a plan without the module', LOAD, [], 'builtin: m is built into the kernel'],
  ['loaded', LOAD, [step('m', { state: 'live' })], 'loaded: m is loaded'],
  [
    'a command that stands in',
    decided('install-command', 'install m'),
    [step('m', { command: 'echo' })],
    'install-command: install m (/etc/modprobe.d/a.conf:3) runs: echo',
  ],
  [
    'a needed module whose install line does nothing',
    {
      ...LOAD,
      plan: {
        ...PLAN,
        steps: [
          {
            module: name('n'),
            path: '/n.ko',
            params: '',
            origins: [],
            why: 'depends',
            required: true,
            after: [],
            command: { text: '/bin/true', raw: '/bin/true', place },
          },
        ],
      },
    },
    [step('n', { command: '/bin/true' }), step('m')],
    'failed missing-dependency: m needs n, which its install line keeps out (/etc/modprobe.d/a.conf:3)',
    { evidence: ['it runs /bin/true instead of inserting n'] },
  ],
  [
    'the kernel would refuse it',
    LOAD,
    [step('n'), step('m', { refusal })],
    'failed signature: the kernel would refuse m',
    { evidence: ['it is unsigned'], remedy: 'sign it' },
  ],
  [
    'the kernel would refuse what it needs',
    LOAD,
    [step('n', { refusal }), step('m')],
    'failed missing-dependency: m needs n, which cannot be loaded (signature)',
    { evidence: ['it is unsigned'], remedy: 'sign it' },
  ],
  [
    'a softdep that would be refused hinders nothing',
    LOAD,
    [step('n', { refusal, required: false }), step('m')],
    'would-insert: m would be inserted, with n',
  ],
  ['nothing stands against it', LOAD, [step('m')], 'would-insert: m would be inserted', { evidence: [] }],
  [
    'with what is not loaded yet',
    LOAD,
    [step('n', { state: 'live' }), step('o'), step('m')],
    'would-insert: m would be inserted, with o',
  ],
  [
    'after many',
    LOAD,
    [...['a', 'b', 'c', 'd', 'e'].map((each) => step(each)), step('m')],
    'would-insert: m would be inserted, after 5 modules that it needs',
  ],
  [
    'warnings are its evidence',
    LOAD,
    [
      step('m', {
        badParameters: [
          { name: 'speling', value: '1', kind: 'unknown', type: undefined, suggestion: 'spelling', place },
        ],
        missingFirmware: ['a.bin', 'b.bin', 'c.bin'],
      }),
    ],
    /^would-insert/,
    {
      evidence: [
        'm has no parameter speling (/etc/modprobe.d/a.conf:3): the kernel ignores it; did you mean spelling?',
        'm may ask for firmware, and nothing of what it names is there: a.bin, b.bin and 1 more',
      ],
    },
  ],
];
for (const [rule, answer, steps, expected, more = {}] of ROWS) {
  t.test(rule, (t) => {
    const end = outcomeOf(answer, steps);
    const text = `${end.verdict}${end.cause === undefined ? '' : ` ${end.cause}`}: ${end.reason}`;
    if (typeof expected === 'string') t.equal(text, expected);
    else t.match(text, expected);
    t.match(end, more);
    t.end();
  });
}
