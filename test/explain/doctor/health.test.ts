import t from 'tap';
import { findings, type Finding } from '../../../agent/explain/doctor/health.ts';
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

t.test('a check that does not apply is left out, and the others keep their order', (t) => {
  const check = (id: string, finding: Finding | undefined) => ({ id, title: `the ${id}`, run: () => finding });
  const found: Finding = { state: 'warning', summary: 's', remedy: 'r' };
  t.same(findings([check('b', found), check('x', undefined), check('a', { state: 'ok', summary: 't' })], {}), [
    { id: 'b', title: 'the b', state: 'warning', summary: 's', remedy: 'r' },
    { id: 'a', title: 'the a', state: 'ok', summary: 't' },
  ]);
  t.same(findings([], {}), []);
  t.end();
});

t.test('the checks of a tree, and those of the rules, hold for another root; those of the kernel do not', (t) => {
  const image = { ...WELL, root: '/image', live: undefined, running: undefined };
  t.same(
    findings(ALL, image).map(({ id }) => id),
    ['module-tree', 'tree-complete', 'indexes', 'configuration', 'idle-rules', 'permissions'],
  );
  t.end();
});
