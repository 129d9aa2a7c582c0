import t from 'tap';
import {
  CONF_DIRECTIVES,
  DIRECTIVE_NAMES,
  directivesOf,
  patternSubject,
} from '../../../agent/dkms/conf/conf-directives.ts';

t.test('the table of directives', async (t) => {
  t.equal(new Set(DIRECTIVE_NAMES).size, DIRECTIVE_NAMES.length, 'has each name once');
  t.same(
    DIRECTIVE_NAMES.filter((name) => !/^[A-Z][A-Z_]*$/.test(name)),
    [],
    'has names that cannot be words of the shell',
  );
  const uses = ['record', 'name', 'pattern', 'flag', 'gone', 'text'] as const;
  t.same(uses.flatMap((use) => directivesOf(use)).toSorted(), DIRECTIVE_NAMES.toSorted(), 'has one use for each');
  t.same(directivesOf('name'), ['PACKAGE_NAME', 'PACKAGE_VERSION']);
  for (const { name, array, use } of CONF_DIRECTIVES) {
    if (use === 'record' || use === 'pattern') t.ok(array, `${name} has one element for each module or command`);
    if (use === 'flag' || use === 'name') t.notOk(array, `${name} is one for the package`);
  }
});

t.test('what a pattern is matched against', async (t) => {
  for (const name of directivesOf('pattern'))
    t.equal(patternSubject(name), name === 'BUILD_EXCLUSIVE_ARCH' ? 'arch' : 'kernelver', name);
});
