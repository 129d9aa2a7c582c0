import t from 'tap';
import type { Enrolment, EnrolmentFacts } from '../../../agent/trust/enrolment/enrolment.ts';
import { DKMS_MOK } from '../../../agent/trust/mok-files.ts';
import { enrolmentText } from '../../../agent/report/trust/enrolment-text.ts';

const FACTS: EnrolmentFacts = {
  files: 'both',
  certificate: undefined,
  enforced: true,
  secureBoot: { state: 'on', validationDisabled: false, mokPending: [] },
  trust: undefined,
  enrolled: false,
  waitsToCome: false,
  waitsToGo: false,
};
const half = { kind: 'half', there: '/a', missing: '/b', remedy: 'put /b back' } as const;

const TEXTS: Readonly<Record<Enrolment, readonly [Partial<EnrolmentFacts>, RegExp]>> = {
  'no-key': [{}, /^There is no key.*\n {2}1\. Make one: plugd keys generate\n$/],
  half: [{ files: half }, /^\/a is there, and \/b is missing\.\n {2}1\. Put \/b back\.\n$/],
  unreadable: [{}, /mok\.pub is not a certificate/],
  trusted: [
    { trust: { kind: 'trusted', ring: '.machine' } },
    /^The kernel trusts the key \(\.machine\): [^]*load\.\n$/,
  ],
  leaving: [{}, /mokutil --revoke-delete/],
  waiting: [{}, /1\. Reboot, at the console[^]*2\. A blue[^]*3\. Choose "Enroll MOK"[^]*4\. Type the password/],
  enrolled: [{ trust: { kind: 'untrusted', why: 'it is in .platform' } }, /does not trust it: it is in \.platform\./],
  'not-needed': [{}, /nothing needs to be\sdone/],
  impossible: [{}, /not started by\sEFI/],
  made: [{}, /1\. Ask for it, with a password for one use: plugd keys enroll\n[^]*2\. Reboot/],
};
for (const [state, [facts, expected]] of Object.entries(TEXTS)) {
  t.test(state, (t) => {
    const text = enrolmentText(state as Enrolment, { ...FACTS, ...facts }, DKMS_MOK);
    t.match(text, expected);
    t.same(
      text.split('\n').filter((line) => line.length > 80),
      [],
    );
    t.end();
  });
}
