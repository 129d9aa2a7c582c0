import t from 'tap';
import { emptyConfig, type Config, type RuleList, type RuleTypes } from '../../../agent/rules/modprobe/config.ts';
import { DIRECTIVE_NAMES, DIRECTIVES, RULE_LISTS } from '../../../agent/rules/modprobe/directives.ts';
import { parseModprobeConf } from '../../../agent/rules/modprobe/modprobe-conf.ts';

function configOf(text: string): Config {
  const config = emptyConfig();
  parseModprobeConf({ file: 'a', text }, config);
  return config;
}

/** The rules of a list: what each is about, its text, and what modprobe -c prints. */
function rows<List extends RuleList>(list: List, rules: ReadonlyArray<RuleTypes[List]>) {
  const { about, text, print } = DIRECTIVES[list];
  return rules.map((rule) => [list, about(rule), text(rule), print?.(rule) ?? 'nothing']);
}

/** A line, the list it goes to, what it is about; its text where that differs, and what modprobe -c prints. */
const ROWS: ReadonlyArray<readonly [line: string, list: RuleList, about: string, text?: string, print?: string]> = [
  ['blacklist a', 'blacklists', 'a'],
  ['install a* x  y', 'installs', 'a*'],
  ['remove a x', 'removes', 'a'],
  ['alias a* b', 'aliases', 'a*'],
  ['options a b=1', 'options', 'a'],
  ['softdep a pre: b c post: d', 'softdeps', 'a', 'softdep a pre: b c post: d', 'softdep a pre: b cpost: d'],
  ['softdep a pre: b', 'softdeps', 'a'],
  ['softdep a b', 'softdeps', 'a', 'softdep a', 'softdep a '],
  ['weakdep a b c', 'weakdeps', 'a'],
];

t.test('a line, what it is about, its text and what modprobe -c prints', (t) => {
  for (const [line, list, about, text = line, print = text] of ROWS) {
    const config = configOf(line);
    t.same(
      RULE_LISTS.flatMap((each) => rows(each, config[each])),
      [[list, about, text, print]],
      line,
    );
  }
  t.same(
    [...new Set(ROWS.map(([line]) => line.split(' ')[0] ?? ''))].toSorted(),
    DIRECTIVE_NAMES,
    'every directive has a line here',
  );
  t.equal(DIRECTIVES.kernelBlacklists.print, undefined);
  t.end();
});

t.test('a text is read back as the same rule', (t) => {
  for (const [line] of ROWS) {
    const once = configOf(line);
    const again = configOf(RULE_LISTS.flatMap((list) => rows(list, once[list]).map(([, , text]) => text)).join('\n'));
    if (line !== 'softdep a b') t.same(again, once, line);
  }
  t.end();
});
