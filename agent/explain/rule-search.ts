/** The rules about a module for `plugd test -v` and `plugd why`, and the searches that found none. Pure. */
import { lookupKey } from '../base/names.ts';
import { counted } from '../base/words.ts';
import type { Answer } from '../load/answer.ts';
import type { Candidate } from '../match/candidate.ts';
import type { RuleReport } from '../records/investigation.ts';
import type { Config, RuleList, RuleTypes } from '../rules/modprobe/config.ts';
import { aliasOf } from '../rules/modprobe/decision.ts';
import { DIRECTIVES, RULE_LISTS, type RuleSubject } from '../rules/modprobe/directives.ts';
import { ruleIndex, type RuleIndex } from '../rules/modprobe/rule-index.ts';

/** The lists about loading: first those that lead from a name to a module, then those about the module. */
const ABOUT_LOADING = RULE_LISTS.filter((list) => DIRECTIVES[list].effect !== undefined);
const LISTS = [
  ...ABOUT_LOADING.filter((list) => DIRECTIVES[list].matches === 'name'),
  ...ABOUT_LOADING.filter((list) => DIRECTIVES[list].matches !== 'name'),
];

/** Each kind of rule that could have changed a candidate's outcome: the lines that did, or that there is none. */
export function rulesOf(
  config: Config,
  candidate: Candidate,
  name: string,
  { decision, plan }: Answer,
): readonly RuleReport[] {
  const subject: RuleSubject = { candidate, decision: decision.kind, planned: plan !== undefined };
  const rules = ruleIndex(config);
  return LISTS.flatMap((list) => reports(list, config[list], rules, name, subject));
}

function reports<List extends RuleList>(
  list: List,
  all: ReadonlyArray<RuleTypes[List]>,
  rules: RuleIndex,
  asked: string,
  subject: RuleSubject,
): readonly RuleReport[] {
  const { name, matches, text, effect } = DIRECTIVES[list];
  const { candidate } = subject;
  const byName = matches === 'name';
  const alias = matches === 'either' ? aliasOf(candidate, asked) : undefined;
  const own = rules
    .counting(list, byName ? (lookupKey(asked) ?? asked) : candidate.module, alias)
    .map((rule) => ({
      kind: name,
      text: text(rule),
      place: rule.place,
      applied: false,
      ...effect?.(rule, subject),
    }))
    // An alias line to another module concerns another candidate.
    .filter(({ applied }) => applied || !byName);
  if (own.length > 0) return own;
  const remark = all.length === 0 ? 'no such rule anywhere' : `${counted(all.length, 'rule')}, none for it`;
  return [{ kind: name, applied: false, remark }];
}
