import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { rulesOf } from '../../agent/explain/rule-search.ts';
import type { Answer } from '../../agent/load/answer.ts';
import type { Candidate, CandidateSource } from '../../agent/match/candidate.ts';
import { emptyConfig } from '../../agent/rules/modprobe/config.ts';
import { decide } from '../../agent/rules/modprobe/decision.ts';
import { parseKernelCommandLine } from '../../agent/rules/modprobe/kernel-command-line.ts';
import { parseModprobeConf } from '../../agent/rules/modprobe/modprobe-conf.ts';

interface Row {
  readonly conf?: string;
  readonly commandLine?: string;
  /** How module m was found; through an alias when absent. */
  readonly source?: CandidateSource;
  /** Of the rules that are about it: `LINE text`, `+` when it applied, and the remark. */
  readonly found?: readonly string[];
  /** Of the others: `KIND remark`. */
  readonly none?: readonly string[];
}

const MODALIAS = 'pci:v1';

const ROWS: Readonly<Record<string, Row>> = {
  'no rule at all': {
    none: ['alias', 'blacklist', 'module_blacklist=', 'install', 'options', 'softdep'].map(
      (kind) => `${kind} no such rule anywhere`,
    ),
  },
  'rules for other modules are counted': {
    conf: 'blacklist x\nblacklist y\noptions x a=1\nalias y z',
    none: [
      'alias 1 rule, none for it',
      'blacklist 2 rules, none for it',
      'module_blacklist= no such rule anywhere',
      'install no such rule anywhere',
      'options 1 rule, none for it',
      'softdep no such rule anywhere',
    ],
  },
  'rules that say nothing of loading are passed over': { conf: 'remove m x\nweakdep m x', found: [] },
  'blacklist keeps it out': { conf: 'blacklist m', found: ['1 blacklist m +'] },
  'blacklist does not, by its own name': {
    conf: 'blacklist m',
    source: 'modules.dep',
    found: ['1 blacklist m no effect: it was asked for by its own name'],
  },
  'blacklist of what is built in': {
    conf: 'blacklist m',
    source: 'modules.builtin',
    found: ['1 blacklist m no effect: it is built in'],
  },
  'module_blacklist=': { commandLine: 'module_blacklist=m', found: ['1 module_blacklist=m +'] },
  install: { conf: 'install m /bin/x', found: ['1 install m /bin/x +'] },
  'install is void beside a softdep': {
    conf: 'install m /bin/x\nsoftdep m pre: n',
    found: ['1 install m /bin/x no effect: modprobe ignores it for a module with softdeps', '2 softdep m pre: n +'],
  },
  'install by a wildcard, and only the first': { conf: 'install m* x\ninstall m y', found: ['1 install m* x +'] },
  'all options, those for the alias too': {
    conf: 'options m a=1\noptions pci:v1 b=2\noptions x c=3\noptions m d=4',
    found: ['1 options m a=1 +', '2 options pci:v1 b=2 +', '4 options m d=4 +'],
  },
  'options for the alias do not count by its own name': {
    conf: 'options m a=1\noptions pci:v1 b=2',
    source: 'modules.dep',
    found: ['1 options m a=1 +'],
  },
  'options of what is built in': {
    conf: 'options m a=1',
    source: 'modules.builtin',
    found: ["1 options m a=1 no effect: it is built in; use m.PARAMETER= on the kernel's command line"],
  },
  'options of what is kept out': { conf: 'blacklist m\noptions m a=1', found: ['1 blacklist m +', '2 options m a=1'] },
  'a softdep of nothing': { conf: 'softdep m n', found: ['1 softdep m it names nothing'] },
  'an alias line comes first': {
    conf: 'blacklist m\nalias pci:* m\nalias pci:v1 x',
    source: 'config-alias',
    found: ['2 alias pci:* m +', '1 blacklist m +'],
  },
};

for (const [rule, { conf = '', commandLine = '', source = 'modules.alias', found, none }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const config = emptyConfig();
    parseModprobeConf({ file: 'a', text: conf }, config);
    parseKernelCommandLine({ file: 'cmdline', text: commandLine }, config);
    const alias =
      source === 'config-alias' ? config.aliases.find((each) => each.module === ('m' as ModuleName)) : undefined;
    const candidate: Candidate = {
      module: 'm' as ModuleName,
      source,
      pattern: alias?.pattern ?? MODALIAS,
      priority: 0,
      ...(alias === undefined ? {} : { place: alias.place }),
    };
    const [decision] = decide(config, { candidates: [candidate] });
    if (decision === undefined) throw new Error('no decision');
    const goesOn = decision.kind === 'load' || decision.kind === 'install-command';
    const plan: Answer['plan'] = { target: candidate.module, steps: [], printed: [], blocked: [], notes: [] };
    const reports = rulesOf(config, candidate, MODALIAS, { decision, plan: goesOn ? plan : undefined });
    const about = reports
      .filter(({ text }) => text !== undefined)
      .map(({ text, place, applied, remark }) =>
        `${place?.line} ${text}${applied ? ' +' : ''} ${remark ?? ''}`.trimEnd(),
      );
    if (found !== undefined) t.same(about, found);
    if (none !== undefined)
      t.same(
        reports.filter(({ text }) => text === undefined).map(({ kind, remark }) => `${kind} ${remark}`),
        none,
      );
    t.end();
  });
}
