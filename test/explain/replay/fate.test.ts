import t from 'tap';
import type { ModuleName } from '../../../agent/base/names.ts';
import type { Home } from '../../../agent/explain/replay/driver-home.ts';
import { fateOf, RULES, type FateFacts } from '../../../agent/explain/replay/fate.ts';
import type { CandidateReport } from '../../../agent/records/investigation.ts';
import type { Fate } from '../../../agent/records/replay.ts';

const candidate = (
  module: string,
  verdict: CandidateReport['verdict'] = 'would-insert',
  reason = '',
): CandidateReport => ({
  module: module as ModuleName,
  source: 'modules.alias',
  pattern: '',
  priority: 0,
  rules: [],
  steps: [],
  notes: [],
  verdict,
  reason,
  cause: undefined,
  evidence: [],
  remedy: undefined,
});
const module = (name: string): Home => ({ kind: 'module', module: name as ModuleName });
const absent: Home = { kind: 'absent', because: 'this tree has no module d' };
const untold: Home = { kind: 'untold', because: 'nobody says' };

const base: FateFacts = {
  driver: 'd',
  subsystem: 'pci',
  home: absent,
  candidates: [],
  listsIds: false,
  isThere: false,
  sibling: false,
  successors: [],
};

/** Each row is a rule, in the order in which they decide. */
const rows: ReadonlyArray<readonly [rule: string, facts: Partial<FateFacts>, fate: Fate, because?: RegExp]> = [
  ['it had no driver', { driver: undefined, home: undefined, candidates: [candidate('x')] }, 'none'],
  ['inside the kernel', { home: { kind: 'kernel', because: '' }, candidates: [candidate('x')] }, 'kept'],
  ['its own module, by MODALIAS', { home: module('d'), candidates: [candidate('x'), candidate('d')] }, 'kept'],
  [
    'its own module is kept out or refused',
    {
      home: module('d'),
      candidates: [candidate('x'), candidate('d', 'blacklisted', 'a blacklist line')],
      isThere: true,
    },
    'lost',
    /^a blacklist line$/,
  ],
  ['a sibling brings it', { home: module('d'), sibling: true, listsIds: true }, 'kept'],
  ['its bus asks by ids of its own', { home: module('d'), subsystem: 'mdio_bus', listsIds: true }, 'kept'],
  [
    'a known successor',
    { home: module('d'), listsIds: true, candidates: [candidate('e')], successors: ['e' as ModuleName] },
    'kept',
    /^e is the successor of d$/,
  ],
  [
    'its module has no id for it, and other drivers match',
    { home: module('d'), listsIds: true, isThere: true, candidates: [candidate('e')] },
    'replaced',
    /^another driver matches \(e\); this tree's d, the recorded one, does not list the device$/,
  ],
  [
    'its module has ids for such devices, not this one',
    { home: module('d'), listsIds: true, isThere: true },
    'lost',
    /this tree's d does not list this device/,
  ],
  ['its module is there for another device', { home: module('d'), isThere: true }, 'kept'],
  [
    'nothing recorded asks for its module',
    { home: module('d') },
    'unknown',
    /^no MODALIAS leads to d, which this tree has/,
  ],
  [
    'it cannot be said where the driver is',
    { home: untold, candidates: [candidate('e')] },
    'unknown',
    /^nobody says; e would be loaded for it$/,
  ],
  [
    'only other drivers match',
    { candidates: [candidate('e'), candidate('f', 'blacklisted')] },
    'replaced',
    /^another driver matches \(e\); the recorded one \(d\) is not in this tree$/,
  ],
  [
    'other drivers match, and are kept out or refused',
    { candidates: [candidate('e', 'blacklisted', 'a line')] },
    'lost',
    /^this tree has no module d; a line$/,
  ],
  ['nothing has it', {}, 'lost', /^this tree has no module d$/],
];

t.test('the fate of a device: the first rule that holds decides', (t) => {
  t.same(
    rows.map(([rule]) => rule),
    RULES.map(({ name }) => name),
    'every rule has a row',
  );
  for (const [rule, facts, fate, because] of rows) {
    const all = { ...base, ...facts };
    t.equal(RULES.find(({ holds }) => holds(all))?.name, rule);
    const found = fateOf(all);
    t.equal(found.fate, fate, rule);
    t.match(found.because ?? '', because ?? /^$/, rule);
  }
  t.end();
});

t.test('what to do about a driver that no package has is what its home says', (t) => {
  t.match(fateOf(base), { fate: 'lost', remedy: 'add the package that has it to the image' });
  t.match(fateOf({ ...base, home: { ...absent, remedy: 'use another kernel' } }), {
    fate: 'lost',
    remedy: 'use another kernel',
  });
  t.end();
});
