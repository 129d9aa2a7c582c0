import t from 'tap';
import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { RULE_CHECKS } from '../../../agent/explain/doctor/health-rules.ts';
import { FIRMWARE_CHECK, TREE_CHECKS } from '../../../agent/explain/doctor/health-tree.ts';
import { healthText } from '../../../agent/report/health-text.ts';
import { WELL } from './health-rig.ts';

const ALL = [...KERNEL_CHECKS, ...TREE_CHECKS, FIRMWARE_CHECK, ...RULE_CHECKS];

t.test('a machine that is well', (t) => {
  const results = ALL.flatMap((check) => {
    const finding = check.run(WELL);
    return finding === undefined ? [] : [{ id: check.id, title: check.title, ...finding }];
  });
  t.same(
    results.filter(({ state }) => state !== 'ok'),
    [],
  );
  t.equal(new Set(ALL.map(({ id }) => id)).size, ALL.length, 'each check has an id of its own');
  const text = healthText('Linux 6.1.3', results, { colour: false, width: 80 }, true);
  t.match(text, new RegExp(`^${results.length} checks: 0 wrong, 0 warnings$`, 'm'));
  t.same(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  // Colours add nothing but themselves.
  const coloured = healthText('Linux 6.1.3', results, { colour: true, width: 80 }, true);
  t.not(coloured, text);
  t.equal(coloured.replaceAll(/\u001B\[\d+m/g, ''), text);
  t.end();
});
