import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { emptyConfig } from '../../../agent/rules/modprobe/config.ts';
import { parseModprobeConf } from '../../../agent/rules/modprobe/modprobe-conf.ts';
import { redirectionOf, redirectionOfAll } from '../../../agent/rules/modprobe/redirection.ts';

function configOf(text: string) {
  const config = emptyConfig();
  parseModprobeConf({ file: 'a', text }, config);
  return config;
}

/** The lines, a name or pattern that leads to module m, and `KIND LINES`. */
const ROWS: ReadonlyArray<readonly [rule: string, conf: string, pattern: string, expected: string]> = [
  ['no line', '', 'm', 'none'],
  ['a line for another name', 'alias x off', 'm', 'none'],
  ['the name leads to off', 'alias m off', 'm', 'all 1'],
  ['the name leads to another module', '\nalias m n', 'm', 'all 2'],
  ['by a wildcard', 'alias m* off', 'm', 'all 1'],
  ['either spelling', 'alias a-m off', 'a_m', 'all 1'],
  ['a line that leads to the module is none', 'alias x m\nalias m m', 'm', 'none'],
  ['a line that leads to the module beside one that does not', 'alias m off\nalias m m', 'm', 'none'],
  ['lines are no chains', 'alias x off\nalias m x', 'm', 'all 2'],
  ['a pattern that is covered', 'alias pci:v1* off', 'pci:v1d2*', 'all 1'],
  ['the very pattern', 'alias pci:v1d2* off', 'pci:v1d2*', 'all 1'],
  ['a pattern of which some names are taken', 'alias pci:v1d2sv3 off', 'pci:v1d2*', 'some 1'],
  ['… and some others lead back', 'alias pci:v1* off\nalias pci:v1d2* m', 'pci:v1*', 'some 1'],
  ['… and all others lead back', 'alias pci:v1d2* off\nalias pci:v1* m', 'pci:v1*', 'none'],
  ['a pattern apart', 'alias pci:v2* off', 'pci:v1d2*', 'none'],
  ['several lines', 'alias m off\nalias m n\nalias q off', 'm', 'all 1 2'],
];

t.test('where alias lines lead the names of a module', (t) => {
  for (const [rule, conf, pattern, expected] of ROWS) {
    const { kind, rules } = redirectionOf(configOf(conf), pattern, moduleName('m'));
    t.equal([kind, ...rules.map(({ place }) => place.line)].join(' '), expected, rule);
  }
  t.end();
});

t.test('all names together', (t) => {
  const config = configOf('alias pci:* off\nalias usb:v1* off');
  const kind = (...patterns: string[]) => redirectionOfAll(config, patterns, moduleName('m')).kind;
  t.equal(kind('pci:v1*', 'usb:v1d1*'), 'all');
  t.equal(kind('pci:v1*', 'usb:v2*'), 'some');
  t.equal(kind('usb:v2*'), 'none');
  t.equal(kind(), 'none');
  t.equal(redirectionOfAll(config, ['pci:v1*', 'pci:v2*'], moduleName('m')).rules.length, 1, 'each line once');
  t.end();
});
