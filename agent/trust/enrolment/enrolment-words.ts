/** The words for the state of a machine owner key, and what to do next, in the order in which to do it. */
import type { Enrolment, EnrolmentFacts } from './enrolment.ts';
import { DKMS_MOK, type MokPlaces } from '../mok-files.ts';

/** A sentence, and the next steps; none where there is nothing to do. */
export interface EnrolmentWords {
  readonly sentence: string;
  readonly steps: readonly string[];
}

/** What the blue screen at the next boot asks, in its order. */
const SCREEN = [
  'Reboot, at the console: nobody can answer over the network.',
  'A blue screen appears for 10 seconds: press a key.',
  'Choose "Enroll MOK", "Continue", "Yes".',
  'Type the password that you set, then choose "Reboot".',
];

type Words = (facts: EnrolmentFacts, places: MokPlaces) => EnrolmentWords;

const WORDS: Readonly<Record<Enrolment, Words>> = {
  'no-key': () => words('There is no key to sign modules with.', 'Make one: plugd keys generate'),
  half: ({ files }) =>
    typeof files === 'string'
      ? words('One file of the key is missing.')
      : words(`${files.there} is there, and ${files.missing} is missing.`, sentenceOf(files.remedy)),
  unreadable: (_, { key, certificate }) =>
    words(`${certificate} is not a certificate.`, `Put the certificate of ${key} back.`),
  trusted: ({ trust }) => {
    const ring = trust?.kind === 'trusted' ? ` (${trust.ring})` : '';
    return words(`The kernel trusts the key${ring}: modules that are signed with it load.`);
  },
  leaving: () =>
    words(
      'The kernel trusts the key, and it is to be removed at the next boot.',
      'To keep it: mokutil --revoke-delete',
    ),
  waiting: ({ enforced }) =>
    words(
      `The key waits to be enrolled.${enforced === false ? '' : ' Until then its modules are refused.'}`,
      ...SCREEN,
    ),
  enrolled: ({ trust }) => {
    const why = trust?.kind === 'untrusted' ? `: ${trust.why}` : '';
    return words(
      `The key is enrolled, and this kernel does not trust it${why}.`,
      'Reboot, if you have not since you enrolled it. If that does not help, see plugd keys.',
    );
  },
  'not-needed': () =>
    words(
      'This kernel takes modules without a trusted signature, so nothing needs to be done. With Secure Boot that changes.',
    ),
  impossible: () =>
    words(
      'This kernel takes only signed modules, and the machine was not started by EFI, so no key can be enrolled.',
      'Build the key into the kernel (CONFIG_SYSTEM_TRUSTED_KEYS), or start without module.sig_enforce.',
    ),
  made: (_, places) =>
    words(
      'The key is not enrolled: its modules are refused.',
      `Ask for it, with a password for one use: ${enrolCommand(places)}`,
      ...SCREEN,
    ),
};

/** The state in words: `enrolmentWords('made', facts, DKMS_MOK)`. */
export function enrolmentWords(state: Enrolment, facts: EnrolmentFacts, places: MokPlaces): EnrolmentWords {
  return WORDS[state](facts, places);
}

function enrolCommand({ certificate }: MokPlaces): string {
  return certificate === DKMS_MOK.certificate ? 'plugd keys enroll' : `plugd keys enroll --cert ${certificate}`;
}

function words(sentence: string, ...steps: readonly string[]): EnrolmentWords {
  return { sentence, steps };
}

function sentenceOf(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
