import t from 'tap';
import type { SecureBoot } from '../../../agent/facts/kernel/lockdown.ts';
import { parseCertificate, PURPOSE, type Certificate } from '../../../agent/trust/certificate.ts';
import {
  enrolmentObstacle,
  enrolmentOf,
  isUsable,
  type Enrolment,
  type EnrolmentFacts,
} from '../../../agent/trust/enrolment/enrolment.ts';
import { makeMok } from '../../../agent/trust/mok.ts';

const certificate = parseCertificate(makeMok().certificateDer) as Certificate;
const weak = parseCertificate(makeMok({ bits: 1024 }).certificateDer) as Certificate;
const boot = (state: SecureBoot['state'], validationDisabled = false): SecureBoot => ({
  state,
  validationDisabled,
  mokPending: [],
});
/** A key that was just made, on a machine with Secure Boot. */
const MADE: EnrolmentFacts = {
  files: 'both',
  certificate,
  enforced: true,
  secureBoot: boot('on'),
  trust: { kind: 'untrusted', why: 'the kernel does not have it' },
  enrolled: false,
  waitsToCome: false,
  waitsToGo: false,
};
const TRUSTED = { kind: 'trusted', ring: '.machine' } as const;

const STATES: Readonly<Record<string, readonly [Partial<EnrolmentFacts>, Enrolment, usable: boolean]>> = {
  'no files, and signatures are wanted': [{ files: 'neither', certificate: undefined }, 'no-key', false],
  'no files, and nobody wants signatures': [
    { files: 'neither', certificate: undefined, enforced: false },
    'not-needed',
    true,
  ],
  'one file': [{ files: { kind: 'half', there: 'a', missing: 'b', remedy: 'c' } }, 'half', false],
  'a certificate that is none': [{ certificate: undefined, trust: undefined }, 'unreadable', false],
  'made, and not enrolled': [{}, 'made', false],
  'waits for the next boot': [{ waitsToCome: true }, 'waiting', false],
  'it waits although nobody wants signatures yet': [{ waitsToCome: true, enforced: false }, 'waiting', false],
  'enrolled, and this kernel does not know': [{ enrolled: true }, 'enrolled', false],
  trusted: [{ enrolled: true, trust: TRUSTED }, 'trusted', true],
  'trusted until the next boot': [{ enrolled: true, trust: TRUSTED, waitsToGo: true }, 'leaving', true],
  'Secure Boot off': [{ enforced: false, secureBoot: boot('off') }, 'not-needed', true],
  'Secure Boot on, and the kernel does not enforce': [{ enforced: false }, 'not-needed', true],
  'nothing but the firmware tells: on': [{ enforced: undefined }, 'made', false],
  'nothing but the firmware tells: shim does not verify': [
    { enforced: undefined, secureBoot: boot('on', true) },
    'not-needed',
    true,
  ],
  'signatures are wanted without EFI': [{ secureBoot: boot('no-efi') }, 'impossible', false],
};
for (const [rule, [facts, state, usable]] of Object.entries(STATES)) {
  t.test(rule, (t) => {
    t.equal(enrolmentOf({ ...MADE, ...facts }), state);
    t.equal(isUsable(state), usable);
    t.end();
  });
}

const OBSTACLES: Readonly<Record<string, readonly [Partial<EnrolmentFacts>, RegExp | undefined]>> = {
  'a key made for modules': [{}, undefined],
  'a certificate without purposes': [
    { certificate: { ...certificate, purposes: undefined, usage: undefined } },
    undefined,
  ],
  'no certificate': [{ certificate: undefined }, /not a certificate/],
  'a weak key': [{ certificate: weak }, /weak: 1024 bits/],
  "a web server's": [{ certificate: { ...certificate, purposes: ['1.3.6.1.5.5.7.3.1'] } }, /not made for signing code/],
  'for modules alone': [{ certificate: { ...certificate, purposes: [PURPOSE.moduleSigning] } }, undefined],
  'for encryption': [{ certificate: { ...certificate, usage: [false, false, true] } }, /not made for signatures/],
  'a key of an unknown kind': [{ certificate: { ...certificate, spki: Buffer.alloc(4) } }, /of a kind/],
  'a revoked key': [{ revokedBy: 'dbx' }, /revoked in dbx/],
  'no EFI': [{ secureBoot: boot('no-efi') }, /not started by EFI/],
};
for (const [rule, [facts, expected]] of Object.entries(OBSTACLES)) {
  t.test(`to enrol: ${rule}`, (t) => {
    t.match(enrolmentObstacle({ ...MADE, ...facts }), expected);
    t.end();
  });
}
