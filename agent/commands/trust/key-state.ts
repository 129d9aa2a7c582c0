/** After modules were signed: whether this machine's kernel takes them, and the next step when it does not. */
import { openHost } from '../../base/host.ts';
import { isEnforced } from '../../explain/kernel-evidence.ts';
import { readLockdown, readSecureBoot, readSignatureEnforcement } from '../../facts/kernel/lockdown.ts';
import { enrolmentText } from '../../report/trust/enrolment-text.ts';
import { enrolmentOf, isUsable } from '../../trust/enrolment/enrolment.ts';
import { readEnrolmentFacts } from '../../trust/enrolment/enrolment-facts.ts';
import type { MokPlaces } from '../../trust/mok-files.ts';

/** Whether modules that are signed with a key load here, and the words for it, with the steps that are left. */
export interface KeyState {
  readonly usable: boolean;
  readonly text: string;
}

/** The state of the key at `places`: `readKeyState(DKMS_MOK)`; undefined where the kernel asks for no signature. */
export function readKeyState(places: MokPlaces): KeyState | undefined {
  const host = openHost();
  const asked = isEnforced({
    signatureEnforced: readSignatureEnforcement(host),
    lockdown: readLockdown(host),
    secureBoot: readSecureBoot(host).state,
  });
  // Only now, since the certificates of the kernel's image take a second to find.
  if (!asked) return undefined;
  const facts = readEnrolmentFacts(host, places);
  const state = enrolmentOf(facts);
  return { usable: isUsable(state), text: enrolmentText(state, facts, places) };
}
