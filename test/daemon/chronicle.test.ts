import t from 'tap';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { Chronicle } from '../../agent/daemon/chronicle.ts';
import type { Decision } from '../../agent/records/monitor-item.ts';
import type { BlockedRecord, ModuleRecord } from '../../agent/records/coldplug-run.ts';
import { nextTurn } from '../../agent/load/turns.ts';
import type { LedgerEntry } from '../../agent/records/ledger.ts';
import type { Log, LogLevel } from '../../agent/report/logging/log.ts';
import { record } from '../report/run-records.ts';

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A chronicle, and all that it tells. */
function chronicle(explain?: (record: ModuleRecord) => Promise<ModuleRecord>) {
  const lines: Line[] = [];
  const log: Log = {
    debugging: true,
    line: (level, message, fields = {}) => {
      // As in JSON: undefined members are absent.
      lines.push({ level, message, fields: JSON.parse(JSON.stringify(fields)) as Line['fields'] });
    },
  };
  const own = new Chronicle(log, explain);
  const decisions: Decision[] = [];
  const entries: LedgerEntry[] = [];
  own.listeners.add((decision) => decisions.push(decision));
  own.readers.add((entry) => entries.push(entry));
  return { own, lines, decisions, entries };
}

const BLOCKED: BlockedRecord = {
  module: 'nic' as ModuleName,
  kind: 'blacklisted',
  reason: 'blacklist nic',
  place: { file: '/etc/modprobe.d/a.conf', line: 2 },
  requester: record('nic', 0, 0).requester,
};

const NONE = { inserted: 0, alreadyLoaded: 0, commands: 0, failed: 0, skipped: 0, noDevice: 0, blocked: 0 };
const failed = (module: string, cause: ModuleRecord['cause'], rest: Partial<ModuleRecord> = {}) =>
  record(module, 10, 20, { result: 'failed', cause, ...rest });
const skipped = (module: string, because: string) =>
  record(module, 0, 0, {
    result: 'skipped',
    cause: 'missing-dependency',
    detail: because,
    startedMs: undefined,
    endedMs: undefined,
  });

interface Row {
  readonly record: ModuleRecord;
  readonly line: Partial<Line> | undefined;
  readonly counts: Partial<typeof NONE>;
  /** Whether the ledger, the figures and the list of failures have it. */
  readonly ledger?: true;
  readonly timed?: true;
  readonly failure?: string;
}

const ROWS: Record<string, Row> = {
  'an insertion': {
    record: record('nic', 10, 51.236),
    line: { level: 'info', message: 'inserted nic', fields: { event: 'inserted', module: 'nic', ms: 41.24 } },
    counts: { inserted: 1 },
    ledger: true,
    timed: true,
  },
  'an install command is in the ledger, and takes no time of the kernel’s': {
    record: record('nic', 10, 20, { result: 'command' }),
    line: { level: 'info', message: 'ran the install command of nic' },
    counts: { commands: 1 },
    ledger: true,
  },
  'a module that was loaded is nobody’s work': {
    record: record('nic', 10, 20, { result: 'already-loaded' }),
    line: { level: 'debug', message: 'nic was loaded already' },
    counts: { alreadyLoaded: 1 },
  },
  'a failure is a warning': {
    record: failed('nic', 'missing-file', { detail: '/lib/nic.ko' }),
    line: { level: 'warn', message: 'nic: missing-file: its file is not there; /lib/nic.ko' },
    counts: { failed: 1 },
    failure: 'missing-file: its file is not there; /lib/nic.ko',
  },
  'an init without hardware is none': {
    record: failed('nic', 'no-device', { errno: 19 }),
    line: { level: 'info', fields: { cause: 'no-device' } },
    counts: { noDevice: 1 },
    failure: 'no-device',
  },
  'a skipped module is a warning': {
    record: skipped('nic', 'bus'),
    line: { level: 'warn', message: 'nic: missing-dependency: a module that it needs could not be loaded; bus' },
    counts: { skipped: 1 },
    failure: 'missing-dependency',
  },
  'a plan is nothing that happened': {
    record: record('nic', 0, 0, { result: 'planned' }),
    line: undefined,
    counts: {},
  },
  'what has not ended has not happened': {
    record: record('nic', 0, 0, { result: 'unfinished' }),
    line: undefined,
    counts: {},
  },
};
for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const { own, lines, decisions, entries } = chronicle();
    own.ended(row.record);
    t.equal(own.isBehind, false);
    t.same(own.insertions(), { ...NONE, ...row.counts });
    if (row.line === undefined) t.same([lines, decisions, entries], [[], [], []]);
    else {
      t.match(lines, [row.line]);
      t.equal(lines.length, 1);
      t.same(decisions, [{ event: row.record.result, record: row.record }]);
    }
    t.equal(own.ledger.length, row.ledger === true ? 1 : 0);
    t.same(entries, own.ledger);
    t.match(own.times.lines('x').at(-1), row.timed === true ? 'x_count 1' : 'x_count 0');
    t.equal(own.failures.length, row.failure === undefined ? 0 : 1);
    t.ok((own.failures[0]?.why ?? '').startsWith(row.failure ?? ''));
    t.end();
  });
}

const FIELDS: Record<string, readonly [requester: Partial<ModuleRecord['requester']>, fields: object, not: string[]]> =
  {
    'a device': [
      {},
      { by: 'device', device: '/devices/pci0000:00/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v1' },
      ['name', 'askedBy'],
    ],
    'the kernel: a name, no device': [
      { by: 'kernel', devpath: '' as Devpath, subsystem: '', name: 'fs-ext9' },
      { by: 'kernel', name: 'fs-ext9' },
      ['device', 'subsystem', 'modalias', 'askedBy'],
    ],
    'a rule of udev: a name, and the line': [
      { name: 'sg', rule: { file: '/etc/udev/rules.d/x.rules', line: 3 } },
      { by: 'device', name: 'sg', askedBy: '/etc/udev/rules.d/x.rules:3' },
      ['modalias'],
    ],
  };
for (const [name, [requester, fields, not]] of Object.entries(FIELDS)) {
  t.test(`who asked: ${name}`, (t) => {
    const { own, lines } = chronicle();
    const whole = record('nic', 10, 20);
    own.ended({ ...whole, requester: { ...whole.requester, ...requester } });
    own.blocked({ ...BLOCKED, requester: { ...whole.requester, ...requester } });
    for (const line of lines) {
      t.match(line.fields, fields);
      for (const field of not) t.notOk(field in line.fields, field);
    }
    t.end();
  });
}

t.test('what a rule keeps out', (t) => {
  const { own, lines, decisions, entries } = chronicle();
  own.blocked(BLOCKED);
  own.blocked({ ...BLOCKED, place: undefined, kind: 'missing-module', reason: 'there is none' });
  t.match(lines, [
    { message: 'blocked nic: blacklist nic (/etc/modprobe.d/a.conf:2)', fields: { rule: '/etc/modprobe.d/a.conf:2' } },
    { message: 'blocked nic: there is none', fields: { kind: 'missing-module' } },
  ]);
  t.notOk('rule' in (lines[1]?.fields ?? {}));
  t.same(
    decisions.map(({ event }) => event),
    ['blocked', 'blocked'],
  );
  t.same([entries, own.failures], [[], []], 'no entry, and no failure');
  t.equal(own.insertions().blocked, 2);
  t.end();
});

t.test('how long it waited counts from when it was asked for', (t) => {
  const { own, lines } = chronicle();
  const whole = record('nic', 100, 120, { addedMs: 40 });
  own.ended(whole);
  own.ended({ ...whole, requester: { ...whole.requester, askedMs: 12.346 } });
  own.ended(skipped('nic', 'bus'));
  t.same(
    lines.map(({ fields }) => fields['waitMs']),
    [60, 87.65, undefined],
  );
  t.same(lines[2]?.fields['ms'], undefined, 'what never began took no time');
  t.end();
});

t.test('skipped for hardware that is not there is no warning; for anything else it is', (t) => {
  const { own, lines } = chronicle();
  own.ended(failed('bus', 'no-device'));
  own.ended(skipped('nic', 'bus'));
  own.ended(skipped('far', 'nic'));
  own.ended(failed('bus', 'missing-file'));
  own.ended(skipped('nic', 'bus'));
  t.same(
    lines.map(({ level }) => level),
    ['info', 'info', 'info', 'warn', 'warn'],
  );
  t.end();
});

t.test('a failure is explained first, and everything is reported in order', async (t) => {
  const ready = new Map<string, () => void>();
  const { own, lines, decisions } = chronicle(async (one) => {
    await new Promise<void>((resolve) => ready.set(one.module, resolve));
    return { ...one, evidence: ['a fact'], remedy: 'do this' };
  });
  own.ended(failed('first', 'other', { errno: 2 }));
  own.ended(record('second', 10, 20));
  own.ended(failed('third', 'missing-file', { errno: 2 }));
  own.ended(skipped('fourth', 'third'));
  t.equal(own.isBehind, true);
  t.same(lines, [], 'nothing overtakes');
  t.same(own.insertions(), { ...NONE, inserted: 1, failed: 2, skipped: 1 }, 'but all is counted');
  const told = own.told();
  for (const module of ['first', 'third']) {
    while (!ready.has(module)) await nextTurn();
    ready.get(module)?.();
  }
  await told;
  t.equal(own.isBehind, false);
  t.same(
    decisions.map(({ record: { module } }) => module),
    ['first', 'second', 'third', 'fourth'],
  );
  t.match(lines[0]?.fields, { evidence: ['a fact'], remedy: 'do this' });
  t.match(decisions[0], { record: { remedy: 'do this' } });
  own.ended(record('fifth', 10, 20));
  t.equal(decisions.length, 5, 'then at once again');
});

t.test('a failure without an explanation is reported as it is', async (t) => {
  const { own, lines } = chronicle(async () => {
    throw new Error('the tree has gone');
  });
  own.ended(failed('nic', 'other', { errno: 2 }));
  await own.told();
  t.match(lines, [
    { level: 'debug', message: 'nic: not explained: the tree has gone' },
    { level: 'warn', message: /^nic: other/ },
  ]);
});

t.test('only what the kernel refused has more to it', (t) => {
  const { own, lines } = chronicle(async () => {
    throw new Error('asked');
  });
  own.ended(failed('command', 'other'));
  own.ended(failed('absent', 'no-device', { errno: 19 }));
  t.equal(own.isBehind, false);
  t.equal(lines.length, 2);
  t.end();
});

t.test('what somebody else loads', (t) => {
  const { own, lines, entries } = chronicle();
  const nic = 'nic' as ModuleName;
  own.outside(nic);
  own.outside(nic, true);
  t.equal(entries.length, 1, 'perhaps known, and it was');
  own.outside(nic);
  t.equal(entries.length, 2, 'it came once more');
  own.ended(record('nic', 10, 20));
  own.outside(nic, true);
  t.same(
    entries.map(({ by }) => by),
    ['outside', 'outside', 'device', 'outside'],
    'the last entry counts',
  );
  t.match(lines[0], { level: 'debug', fields: { event: 'outside', module: 'nic' } });
  t.end();
});

t.test('memory has an end: 5000 entries, 10 failures, the newest', (t) => {
  const { own } = chronicle();
  for (let i = 0; i < 5001; i++) own.outside(`m${i}` as ModuleName);
  t.equal(own.ledger.length, 5000);
  t.equal(own.ledger[0]?.module, 'm1');
  for (let i = 0; i < 11; i++) own.ended(failed(`f${i}`, 'missing-file'));
  t.same(
    own.failures.map(({ module }) => module),
    Array.from({ length: 10 }, (_, i) => `f${i + 1}`),
  );
  t.end();
});

t.test('what cannot be told is logged as a defect, and keeps nothing that follows', async (t) => {
  const { own, lines, decisions } = chronicle(async (one) => one);
  let throws = true;
  own.listeners.add(() => {
    if (throws) throw new Error('a listener');
  });
  own.ended(failed('a', 'signature', { errno: 129 }));
  await own.told();
  t.notOk(own.isBehind);
  t.match(lines.at(-1), { level: 'error', message: /a listener/ });
  throws = false;
  own.ended(failed('b', 'signature', { errno: 129 }));
  await own.told();
  t.match(decisions.at(-1), { event: 'failed', record: { module: 'b' } });
});

t.test('what needs a module without hardware is counted with it, in whatever order they are told', async (t) => {
  const { own } = chronicle(async (one) => one);
  own.ended(failed('a', 'signature', { errno: 129 }));
  own.ended(failed('bus', 'no-device', { errno: 6 }));
  own.ended(skipped('nic', 'bus'));
  t.same(own.counts, { ...NONE, failed: 1, noDevice: 2 });
  await own.told();
});
