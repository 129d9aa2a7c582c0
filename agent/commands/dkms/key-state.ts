/** After modules were signed: whether this machine's kernel takes them, and the next step when it does not. */
import { openHost } from '../../base/host.ts';
import { readLockdown, readSecureBoot, readSignatureEnforcement } from '../../facts/kernel/lockdown.ts';
import { enrolmentText } from '../../report/trust/enrolment-text.ts';
import { enrolmentOf, isUsable } from '../../trust/enrolment/enrolment.ts';
import { readEnrolmentFacts } from '../../trust/enrolment/enrolment-facts.ts';
import { DKMS_MOK } from '../../trust/mok-files.ts';

/** The words for a key whose modules would be refused here; undefined where they load, or no signature is asked for. */
export function refusedKeyText(): string | undefined {
  const host = openHost();
  const lockdown = readLockdown(host);
  const asked =
    readSignatureEnforcement(host) === true ||
    (lockdown !== undefined && lockdown !== 'none') ||
    readSecureBoot(host).state === 'on';
  // Only now, since the certificates of the kernel's image take a second to find.
  if (!asked) return undefined;
  const facts = readEnrolmentFacts(host, DKMS_MOK);
  const state = enrolmentOf(facts);
  return isUsable(state) ? undefined : enrolmentText(state, facts, DKMS_MOK);
}
