/** Checks of the administrator's rules. Pure: facts in, findings out. */
import { problemText } from '../../base/problem.ts';
import type { Check, Finding, HealthFacts, IdleRule } from './health.ts';
import { counted, placeText } from '../../base/words.ts';

/** Lines that do not count. */
function configurationLines({ configuration }: HealthFacts): Finding | undefined {
  if (configuration.length === 0) return { state: 'ok', summary: 'every line can be understood' };
  return {
    state: 'wrong',
    summary: `${counted(configuration.length, 'line')} of configuration ${configuration.length === 1 ? 'does' : 'do'} not count, or not as meant`,
    evidence: configuration.map(problemText),
    remedy: 'correct them; modprobe.d(5) and udev(7) have the grammar',
  };
}

/** Rules without effect here. */
function rulesWithoutEffect({ idleRules, tree }: HealthFacts): Finding | undefined {
  if (tree === undefined) return undefined;
  const real = idleRules.filter(({ harmless }) => !harmless);
  const hidden = idleRules.filter((rule) => rule.hidden === true);
  const others = idleRules.length - real.length - hidden.length;
  const more = [
    ...(others === 0 ? [] : [`${counted(others, 'rule')} for modules that this tree does not have`]),
    ...(hidden.length === 0 ? [] : [`${counted(hidden.length, 'file')} hidden by another of that name`]),
  ]
    .map((text) => `; ${text}`)
    .join('');
  if (real.length === 0) return { state: 'ok', summary: `none${more}`, evidence: hidden.map(idleText) };
  return {
    state: 'warning',
    summary: `${counted(real.length, 'rule')} without effect${more}`,
    evidence: [...real, ...hidden].map(idleText),
    remedy: 'correct or remove them',
  };
}

/** Who besides root can change what loads. */
function looseFiles({ loose, root }: HealthFacts): Finding | undefined {
  const everyone = loose.filter(({ who }) => who === 'everyone');
  if (everyone.length > 0) {
    return {
      state: 'wrong',
      summary: `everyone may change ${counted(everyone.length, 'file')} that decide what root's kernel loads`,
      evidence: everyone.map(({ path }) => path),
      remedy: `chmod o-w ${everyone[0]?.path ?? ''}`,
    };
  }
  const owned = root === '' ? loose.filter(({ who }) => who === 'owner') : [];
  if (owned.length > 0) {
    return {
      state: 'warning',
      summary: `${counted(owned.length, 'file')} that decide what loads belong to another user than root`,
      evidence: owned.map(({ path, uid }) => `${path} (user ${uid})`),
      remedy: 'chown root',
    };
  }
  return { state: 'ok', summary: 'only root may change rules and modules' };
}

function idleText({ place, text, why, suggestion }: IdleRule): string {
  return `${placeText(place)}: ${text}: ${why}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
}

/** Checks of the administrator's rules. */
export const RULE_CHECKS: readonly Check[] = [
  { id: 'configuration', title: 'configuration', run: configurationLines },
  { id: 'idle-rules', title: 'idle rules', run: rulesWithoutEffect },
  { id: 'permissions', title: 'permissions', run: looseFiles },
];
