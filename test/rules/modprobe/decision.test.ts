import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import type { CandidateSource } from '../../../agent/match/candidate.ts';
import { emptyConfig } from '../../../agent/rules/modprobe/config.ts';
import { decide, type DecisionOptions } from '../../../agent/rules/modprobe/decision.ts';
import { parseKernelCommandLine } from '../../../agent/rules/modprobe/kernel-command-line.ts';
import { parseModprobeConf } from '../../../agent/rules/modprobe/modprobe-conf.ts';

function configOf(text: string, commandLine = '') {
  const config = emptyConfig();
  parseModprobeConf({ file: 'a', text }, config);
  parseKernelCommandLine({ file: 'cmdline', text: commandLine }, config);
  return config;
}

interface Row {
  readonly rule: string;
  readonly conf?: string;
  readonly commandLine?: string;
  readonly source?: CandidateSource;
  readonly module?: string;
  readonly options?: DecisionOptions;
  /** `KIND`, or `KIND FILE:LINE`. */
  readonly expected: string;
}

const ROWS: readonly Row[] = [
  { rule: 'no rule', expected: 'load' },
  { rule: 'blacklist keeps out what an alias named', conf: '\nblacklist m', expected: 'blacklisted a:2' },
  { rule: 'the first blacklist line is named', conf: 'blacklist m\nblacklist m', expected: 'blacklisted a:1' },
  {
    rule: 'blacklist keeps out what a configured alias named',
    conf: 'blacklist m',
    source: 'config-alias',
    expected: 'blacklisted a:1',
  },
  {
    rule: 'blacklist keeps out what a symbol named',
    conf: 'blacklist m',
    source: 'modules.symbols',
    expected: 'blacklisted a:1',
  },
  { rule: 'blacklist lets pass what was named itself', conf: 'blacklist m', source: 'modules.dep', expected: 'load' },
  {
    rule: 'useBlacklist keeps that out too',
    conf: 'blacklist m',
    source: 'modules.dep',
    options: { useBlacklist: true },
    expected: 'blacklisted a:1',
  },
  { rule: 'blacklist knows no wildcards', conf: 'blacklist m*', expected: 'load' },
  { rule: 'blacklist compares whole names', conf: 'blacklist mm', expected: 'load' },
  { rule: '- and _ are the same', conf: 'blacklist a-b', module: 'a_b', expected: 'blacklisted a:1' },
  { rule: 'modprobe.blacklist=', commandLine: 'modprobe.blacklist=x,m', expected: 'blacklisted cmdline:1' },
  {
    rule: 'modprobe.blacklist= with -',
    commandLine: 'modprobe.blacklist=a-b',
    module: 'a_b',
    expected: 'blacklisted cmdline:1',
  },
  { rule: 'module_blacklist=', commandLine: 'module_blacklist=m', expected: 'kernel-blacklisted cmdline:1' },
  {
    rule: 'module_blacklist= counts however the module was named',
    commandLine: 'module_blacklist=m',
    source: 'modules.dep',
    expected: 'kernel-blacklisted cmdline:1',
  },
  {
    rule: 'module_blacklist= with - never counts',
    commandLine: 'module_blacklist=a-b',
    module: 'a_b',
    expected: 'load',
  },
  {
    rule: 'blacklist comes before module_blacklist=',
    conf: 'blacklist m',
    commandLine: 'module_blacklist=m',
    expected: 'blacklisted a:1',
  },
  { rule: 'install', conf: 'install m x', expected: 'install-command a:1' },
  { rule: 'install with a wildcard', conf: 'install ?* x', expected: 'install-command a:1' },
  { rule: 'the first install counts', conf: 'install m x\ninstall m y', expected: 'install-command a:1' },
  { rule: 'a wildcard above a name counts', conf: 'install m* x\ninstall m y', expected: 'install-command a:1' },
  {
    rule: 'a name above a wildcard counts',
    conf: 'install n x\ninstall m y\ninstall m* z',
    expected: 'install-command a:2',
  },
  { rule: 'blacklist comes before install', conf: 'install m x\nblacklist m', expected: 'blacklisted a:2' },
  { rule: 'softdeps make install void', conf: 'install m x\nsoftdep m pre: n', expected: 'load' },
  { rule: 'an empty softdep does not', conf: 'install m x\nsoftdep m n', expected: 'install-command a:1' },
  {
    rule: 'an install command is not stopped by module_blacklist=',
    conf: 'install m x',
    commandLine: 'module_blacklist=m',
    expected: 'install-command a:1',
  },
  {
    rule: 'a command that does nothing is a command',
    conf: 'install m /bin/false',
    expected: 'install-command a:1',
  },
  {
    rule: '… unless it is to be a rule',
    conf: 'install m  /bin/true # never',
    options: { commandsThatDoNothing: 'denied' },
    expected: 'denied a:1',
  },
  {
    rule: '… and other commands stay commands',
    conf: 'install m /bin/false; modprobe -i m',
    options: { commandsThatDoNothing: 'denied' },
    expected: 'install-command a:1',
  },
  {
    rule: '… softdeps make it void too',
    conf: 'install m /bin/false\nsoftdep m pre: n',
    options: { commandsThatDoNothing: 'denied' },
    expected: 'load',
  },
  { rule: 'builtin', conf: 'blacklist m\ninstall m x', source: 'modules.builtin', expected: 'builtin' },
  { rule: 'builtin by alias', source: 'builtin-alias', expected: 'builtin' },
];

t.test('decisions', (t) => {
  for (const { rule, conf = '', commandLine = '', source = 'modules.alias', module = 'm', options, expected } of ROWS) {
    const candidate = { module: moduleName(module), source, pattern: 'p', priority: 0 };
    const [decision] = decide(configOf(conf, commandLine), { candidates: [candidate] }, options);
    const place = decision?.place === undefined ? '' : ` ${decision.place.file}:${decision.place.line}`;
    t.equal(`${decision?.kind}${place}`, expected, rule);
    t.equal(decision?.candidate, candidate, `${rule}: about the candidate`);
    t.equal(decision?.reason === '', expected === 'load', `${rule}: a reason unless it may load`);
  }
  t.end();
});

t.test('one decision for each candidate, in their order', (t) => {
  const candidates = ['a', 'b', 'c'].map((name) => ({
    module: moduleName(name),
    source: 'modules.alias' as const,
    pattern: 'p',
    priority: 0,
  }));
  t.same(
    decide(configOf('blacklist b'), { candidates }).map(({ kind }) => kind),
    ['load', 'blacklisted', 'load'],
  );
  t.same(decide(configOf(''), { candidates: [] }), []);
  t.end();
});
