import t from 'tap';
import { parseRun } from '../../../agent/report/timeline/saved-run.ts';
import { record } from '../run-records.ts';

const RUN = { schemaVersion: 1, kernel: '6.1', jobs: 4, wallMs: 100, dryRun: false, modules: [record('a', 10, 20)] };

t.test('a run as coldplug --json prints it', (t) => {
  const phases = [{ name: 'start', startedMs: 0, endedMs: 4 }, { name: 'nonsense', startedMs: 0, endedMs: 4 }, 5];
  const run = parseRun(JSON.stringify({ ...RUN, phases }));
  t.match(run, { kernel: '6.1', jobs: 4, wallMs: 100, modules: [record('a', 10, 20)], phases: [{ name: 'start' }] });
  t.equal(typeof run === 'string' ? 0 : run.phases.length, 1, 'unknown phases are left out');
  t.end();
});

const bad: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
  'no JSON': ['{', /not JSON/],
  'a list': ['[]', /not what plugd coldplug --json prints/],
  nothing: ['null', /not what plugd coldplug --json prints/],
  'another JSON of plugd': ['{"kernel":"6.1","devices":[]}', /not what/],
  'a dry run': [JSON.stringify({ ...RUN, dryRun: true }), /dry run/],
  'a module without a name': [JSON.stringify({ ...RUN, modules: [{}] }), /module number 1/],
  'a result that there is not': [
    JSON.stringify({ ...RUN, modules: [{ ...record('a', 1, 2), result: '<b>' }] }),
    /number 1/,
  ],
  'a time that no clock shows': [
    JSON.stringify({ ...RUN, modules: [{ ...record('a', 1, 2), addedMs: -1 }] }),
    /number 1/,
  ],
  'more modules than any machine has': [
    JSON.stringify({ ...RUN, modules: Array.from({ length: 20_001 }, () => 0) }),
    /more than 20000/,
  ],
};
t.test('what is no run', (t) => {
  for (const [name, [text, why]] of Object.entries(bad)) t.match(parseRun(text), why, name);
  t.end();
});
