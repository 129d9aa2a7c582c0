/**
 * What may be loaded for which device: the policy of /etc/plugd/policy.conf, evaluated. policy-text.ts reads it.
 *
 * The first line whose conditions all hold decides; without one, the default does. `after boot` lines count only once
 * the coldplug has settled.
 *
 * No device asks for a module that only another module needs, so the default and lines without `module=` do not apply to
 * it; a line that names it with `module=` does. So `default deny` with `allow module=e1000e`
 * loads what e1000e needs, and `deny module=bluetooth` keeps out what needs bluetooth too.
 */
import type { ModuleName, Place } from '../../base/names.ts';

/** What a condition looks at. */
export const POLICY_KEYS = ['modalias', 'subsystem', 'device', 'module'] as const;
export type PolicyKey = (typeof POLICY_KEYS)[number];

/** `allow` or `deny`. */
export type PolicyWord = 'allow' | 'deny';

/** Coldplug and everything before it has settled, or what comes later. */
export type PolicyPhase = 'boot' | 'after-boot';

/** `modalias=usb:v0BDA*`: holds when the subject's text matches. */
export interface PolicyCondition {
  readonly key: PolicyKey;
  readonly pattern: string;
  matches(text: string): boolean;
}

/** One `allow` or `deny` line. */
export interface PolicyRule {
  readonly word: PolicyWord;
  readonly afterBoot: boolean;
  readonly conditions: readonly PolicyCondition[];
  readonly place: Place;
  /** The line as it stands in the file, without comment: `deny subsystem=usb`. */
  readonly text: string;
}

/** A `default` line, or plugd's own default, which has no place. */
export interface PolicyDefault {
  readonly word: PolicyWord;
  readonly place: Place | undefined;
}

/** A whole policy. */
export interface Policy {
  readonly rules: readonly PolicyRule[];
  readonly atBoot: PolicyDefault;
  readonly afterBoot: PolicyDefault;
}

/** The policy where there is no file: everything is allowed. */
export const ALLOW_ALL: Policy = {
  rules: [],
  atBoot: { word: 'allow', place: undefined },
  afterBoot: { word: 'allow', place: undefined },
};

/** What is to be judged: one module that one request names. */
export interface PolicySubject {
  /** The device's string as the kernel wrote it, or what a kernel request names: `fs-ext4`. */
  readonly modalias: string;
  /** '' for a request without a device, which no subsystem condition but `*` matches. */
  readonly subsystem: string;
  /** `/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0`; '' for a request without a device. */
  readonly device: string;
  readonly module: ModuleName;
}

/** The answer, with the line that gave it; `place` is undefined for plugd's own default. */
export type PolicyAnswer =
  | { readonly kind: 'allowed' }
  | {
      readonly kind: 'denied';
      /** `deny subsystem=usb`, or `default deny`. */
      readonly text: string;
      readonly place: Place | undefined;
      /** The module that the line is about: the one asked for, or one that it needs. */
      readonly module: ModuleName;
    };

const ALLOWED: PolicyAnswer = { kind: 'allowed' };

/**
 * Judges a module and what it needs (`needs`, nearest first; empty when nothing): denied when the module itself is, or when
 * a line that names modules denies one that it needs.
 */
export function judgePolicy(
  policy: Policy,
  subject: PolicySubject,
  needs: readonly ModuleName[],
  phase: PolicyPhase,
): PolicyAnswer {
  const own = firstRule(policy, subject, phase, () => true);
  if (own === undefined) {
    const fallback = phase === 'boot' ? policy.atBoot : policy.afterBoot;
    if (fallback.word === 'deny') {
      return { kind: 'denied', text: 'default deny', place: fallback.place, module: subject.module };
    }
  } else if (own.word === 'deny') {
    return { kind: 'denied', text: own.text, place: own.place, module: subject.module };
  }
  for (const module of needs) {
    const rule = firstRule(policy, { ...subject, module }, phase, namesModules);
    if (rule?.word === 'deny') return { kind: 'denied', text: rule.text, place: rule.place, module };
  }
  return ALLOWED;
}

function firstRule(
  policy: Policy,
  subject: PolicySubject,
  phase: PolicyPhase,
  counts: (rule: PolicyRule) => boolean,
): PolicyRule | undefined {
  return policy.rules.find(
    (rule) =>
      (!rule.afterBoot || phase === 'after-boot') &&
      counts(rule) &&
      rule.conditions.every((condition) => condition.matches(subject[condition.key])),
  );
}

function namesModules(rule: PolicyRule): boolean {
  return rule.conditions.some((condition) => condition.key === 'module');
}
