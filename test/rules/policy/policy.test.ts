import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { parsePolicy } from '../../../agent/rules/policy/policy-text.ts';
import {
  ALLOW_ALL,
  judgePolicy,
  type Policy,
  type PolicyPhase,
  type PolicySubject,
} from '../../../agent/rules/policy/policy.ts';

const FILE = '/etc/plugd/policy.conf';

function policy(text: string): Policy {
  const read = parsePolicy({ file: FILE, text });
  if (read.kind === 'malformed') throw new Error(JSON.stringify(read.problems));
  return read.policy;
}

const STICK: PolicySubject = {
  modalias: 'usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00',
  subsystem: 'usb',
  device: '/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0',
  module: moduleName('usb-storage'),
};
const FIXED: PolicySubject = {
  modalias: 'platform:Fixed MDIO bus',
  subsystem: 'platform',
  device: '/devices/platform/x',
  module: moduleName('fixed_phy'),
};
const REQUEST: PolicySubject = { modalias: 'fs-ext4', subsystem: '', device: '', module: moduleName('ext4') };

const cases: Record<
  string,
  { text: string; subject?: PolicySubject; needs?: string[]; phase?: PolicyPhase; denied?: number | 'own' }
> = {
  'no rules allow everything': { text: '' },
  'comments and blank lines are no rules': { text: '# deny module=*\n\n   \t\n  # x' },
  'default deny': { text: '\ndefault deny', denied: 2 },
  'default allow': { text: 'default allow' },
  'the first line that applies decides: deny': { text: 'deny subsystem=usb\nallow module=usb_storage', denied: 1 },
  'the first line that applies decides: allow': { text: 'allow module=usb_storage\ndeny subsystem=usb' },
  'a line applies only when all its conditions hold': { text: 'deny subsystem=usb module=uas' },
  'all conditions hold': { text: 'deny subsystem=usb module=usb* modalias=*ic08*', denied: 1 },
  'a glob matches the whole text': { text: 'deny subsystem=us' },
  '* crosses slashes': { text: 'deny device=/devices/*/1-1:1.0', denied: 1 },
  'sets and ? are globs': { text: 'deny modalias=usb:v46F[0-9]p000?d*', denied: 1 },
  "'-' and '_' are the same in module globs": { text: 'deny module=usb-storage', denied: 1 },
  "'-' and '_' are the same in modalias globs": { text: 'deny modalias=fs_ext4', subject: REQUEST, denied: 1 },
  "'-' in a device path is itself": { text: 'deny device=*/1_1/*' },
  'quotes hold blanks': { text: 'deny modalias="platform:Fixed MDIO bus"', subject: FIXED, denied: 1 },
  'quotes hold # and \\"': {
    text: 'deny modalias="a # \\" b"',
    subject: { ...FIXED, modalias: 'a # " b' },
    denied: 1,
  },
  'a comment may follow': { text: 'deny subsystem=usb # no sticks', denied: 1 },
  'an after-boot line sleeps until then': { text: 'after boot deny subsystem=usb' },
  'an after-boot line acts after boot': { text: 'after boot deny subsystem=usb', phase: 'after-boot', denied: 1 },
  'an after-boot line keeps its place in the order': {
    text: 'allow module=usb_storage\nafter boot deny subsystem=usb',
    phase: 'after-boot',
  },
  'after boot default deny, at boot': { text: 'after boot default deny' },
  'after boot default deny, later': { text: 'default allow\nafter boot default deny', phase: 'after-boot', denied: 2 },
  'the default holds after boot too': { text: 'default deny', phase: 'after-boot', denied: 1 },
  'a request without a device has no subsystem': {
    text: 'allow subsystem=?*\ndefault deny',
    subject: REQUEST,
    denied: 2,
  },
  'default deny does not forbid what an allowed module needs': {
    text: 'default deny\nallow module=usb_storage',
    needs: ['scsi_mod'],
  },
  'a named module is denied to all that need it': {
    text: 'deny module=scsi_mod',
    needs: ['usbcore', 'scsi-mod'],
    denied: 1,
  },
  'a line that names no module says nothing of needs': { text: 'deny subsystem=scsi', needs: ['scsi_mod'] },
  'an earlier allow covers a need': {
    text: 'allow module=scsi_mod subsystem=usb\ndeny module=scsi_mod',
    needs: ['scsi_mod'],
  },
};
for (const [name, { text, subject = STICK, needs = [], phase = 'boot', denied }] of Object.entries(cases)) {
  t.test(name, (t) => {
    const answer = judgePolicy(policy(text), subject, needs.map(moduleName), phase);
    if (denied === undefined) t.same(answer, { kind: 'allowed' });
    else t.match(answer, { kind: 'denied', place: { file: FILE, line: denied } });
    t.end();
  });
}

t.test('a denial tells the line as written and the module it is about', (t) => {
  const answer = judgePolicy(policy('deny  module=scsi*   subsystem=usb # x'), STICK, [moduleName('scsi_mod')], 'boot');
  t.same(answer, {
    kind: 'denied',
    text: 'deny module=scsi* subsystem=usb',
    place: { file: FILE, line: 1 },
    module: 'scsi_mod',
  });
  t.same(judgePolicy(ALLOW_ALL, STICK, [], 'after-boot'), { kind: 'allowed' });
  t.end();
});
