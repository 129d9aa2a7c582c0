import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { ending } from '../../agent/records/ending.ts';
import { withCandidates, type CandidateReport } from '../../agent/records/investigation.ts';

const candidate = (module: string, end = ending('loaded', '')): CandidateReport => ({
  module: module as ModuleName,
  source: 'modules.alias',
  pattern: '*',
  priority: 0,
  rules: [],
  steps: [],
  notes: [],
  ...end,
});

t.test('a request has the verdict of its foremost candidate', (t) => {
  const failed = candidate('b', ending('failed', '', { cause: 'busy' }));
  t.match(withCandidates({ name: 'x' }, [candidate('a'), failed]), { verdict: 'failed', cause: 'busy' });
  const before = withCandidates({ name: 'x' }, [failed]);
  t.match(withCandidates(before, [candidate('a')]), { name: 'x', verdict: 'loaded', cause: undefined });
  t.end();
});

t.test('a request without candidates matches nothing', (t) => {
  t.match(withCandidates({ name: 'x', malformed: 'why' }, []), {
    verdict: 'no-match',
    malformed: 'why',
    candidates: [],
  });
  t.end();
});
