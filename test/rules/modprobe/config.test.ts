import t from 'tap';
import { emptyConfig } from '../../../agent/rules/modprobe/config.ts';
import { RULE_LISTS } from '../../../agent/rules/modprobe/directives.ts';

t.test('a configuration without a rule has every list, and shares none', (t) => {
  const config = emptyConfig();
  t.same(Object.keys(config).toSorted(), [...RULE_LISTS, 'problems'].toSorted());
  t.same(Object.values(config).flat(), []);
  config.weakdeps.push({ pattern: 'a', members: [], place: { file: 'a', line: 1 } });
  t.same(emptyConfig().weakdeps, []);
  t.end();
});
