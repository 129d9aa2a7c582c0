import t from 'tap';
import { moduleName } from '../../agent/base/names.ts';
import { SOURCES, type CandidateSource } from '../../agent/match/candidate.ts';
import { createMatcher } from '../../agent/match/matcher.ts';
import { indexOf } from '../fixtures/index.ts';

/** A matcher in which only these sources know the name. */
function matcherOf(name: string, sources: readonly CandidateSource[]) {
  const rows = (source: CandidateSource) => indexOf(sources.includes(source) ? [[name, `of_${source}`, 1]] : []);
  const place = { file: 'conf', line: 1 };
  const module = moduleName(name);
  return createMatcher(
    {
      dep: rows('modules.dep'),
      symbols: rows('modules.symbols'),
      aliases: rows('modules.alias'),
      builtin: rows('modules.builtin'),
      builtinAliases: rows('builtin-alias'),
    },
    {
      aliases: sources.includes('config-alias') ? [{ pattern: name, module: moduleName('instead'), place }] : [],
      commands: sources.includes('config-command') ? [{ module, place }] : [],
    },
  );
}

t.test('SOURCES lists every source of libkmod, in its search order', (t) => {
  t.same(SOURCES, [
    'config-alias',
    'modules.dep',
    'modules.symbols',
    'config-command',
    'modules.alias',
    'modules.builtin',
    'builtin-alias',
  ]);
  t.end();
});

// A symbol has a colon, so modules.dep is not searched for it; any other name is not searched in modules.symbols.
for (const [name, left] of [
  ['name', 'modules.symbols'],
  ['symbol:name', 'modules.dep'],
] as const) {
  const sources = SOURCES.filter((source) => source !== left);
  for (const [i, source] of sources.entries()) {
    t.test(`${name}: ${source} comes before ${sources.slice(i + 1).join(', ') || 'nothing'}`, (t) => {
      const lookup = matcherOf(name, sources.slice(i)).lookup(name);
      t.match(lookup, { kind: 'found', candidates: [{ source }] });
      t.equal(lookup.kind === 'found' && lookup.candidates.length, 1, 'and ends the search');
      t.end();
    });
  }
  t.test(`${name}: ${left} is not searched`, (t) => {
    t.equal(matcherOf(name, [left]).lookup(name).kind, 'none');
    t.end();
  });
}
