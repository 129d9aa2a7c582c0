import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { emptyConfig } from '../../../agent/rules/modprobe/config.ts';
import { parseKernelCommandLine } from '../../../agent/rules/modprobe/kernel-command-line.ts';
import { parseModprobeConf } from '../../../agent/rules/modprobe/modprobe-conf.ts';
import { ruleIndex } from '../../../agent/rules/modprobe/rule-index.ts';

function configOf(text: string, commandLine = '') {
  const config = emptyConfig();
  parseModprobeConf({ file: 'a', text }, config);
  parseKernelCommandLine({ file: 'cmdline', text: commandLine }, config);
  return config;
}

t.test('options by name and by alias keep the order of the lines', (t) => {
  const rules = ruleIndex(configOf('options m 1\noptions al-ias 2\noptions m 3\noptions other 4', 'm.x=5'));
  const texts = (alias?: string) => rules.counting('options', moduleName('m'), alias).map(({ text }) => text);
  t.same(texts(), ['1', '3', 'x=5']);
  t.same(texts('al_ias'), ['1', '2', '3', 'x=5']);
  t.same(texts('m'), ['1', '3', 'x=5']);
  t.same(texts('nothing'), ['1', '3', 'x=5']);
  t.same(
    rules.counting('options', moduleName('n'), 'al_ias').map(({ text }) => text),
    ['2'],
  );
  t.same(rules.counting('options', moduleName('n')), []);
  t.end();
});

t.test('the index of a configuration is made once', (t) => {
  const config = configOf('remove m x\nweakdep m n');
  t.equal(ruleIndex(config), ruleIndex(config));
  t.match(ruleIndex(config).first('removes', moduleName('m')), { command: 'x' });
  t.match(ruleIndex(config).first('weakdeps', moduleName('m')), { members: ['n'] });
  t.equal(ruleIndex(config).first('removes', moduleName('n')), undefined);
  t.end();
});

t.test('the first rule that is about a name', (t) => {
  const rules = ruleIndex(
    configOf('install a* 1\ninstall ab 2\ninstall b 3\ninstall b* 4\nblacklist c*\nalias x* m\nalias xy n\nalias xy m'),
  );
  const install = (name: string) => rules.first('installs', name)?.command;
  t.same(['ab', 'b', 'bc', 'c'].map(install), ['1', '3', '4', undefined]);
  t.equal(rules.first('blacklists', 'cc'), undefined, 'blacklist compares letter for letter');
  t.same(
    rules.counting('installs', 'ab').map(({ command }) => command),
    ['1'],
    'only the first counts',
  );
  t.same(
    rules.counting('aliases', 'xy').map(({ module, place }) => `${module} ${place.line}`),
    ['m 6', 'n 7', 'm 8'],
    'all aliases count, in their order',
  );
  t.same(rules.counting('softdeps', 'a'), []);
  t.end();
});
