import { TREE_CHECKS } from '../../../agent/explain/doctor/health-tree.ts';
import type { ModuleName } from '../../../agent/base/names.ts';
import type { ModuleReadiness, Readiness } from '../../../agent/dkms/tree/readiness.ts';
import type { SignatureEvidence } from '../../../agent/diagnosis/evidence.ts';
import type { OwnFile } from '../../../agent/explain/dkms/own-files.ts';
import { testChecks } from './health-rig.ts';

/** A module's state with the kernel, and the kernels that have it. */
const of = (name: string, readiness: Readiness, ...elsewhere: readonly string[]): ModuleReadiness => ({
  module: { name, version: '1.0' },
  modules: [name as ModuleName],
  readiness,
  elsewhere,
  ...(readiness === 'failed' ? { log: `/var/lib/dkms/${name}/1.0/build/make.log` } : {}),
});

const FAILED: ModuleReadiness = {
  ...of('r', 'failed', '6.0'),
  failure: {
    class: 'api-change',
    place: { file: 'main.c', line: 12 },
    text: "implicit declaration of function 'from_timer'",
    source: undefined,
    subject: 'from_timer',
    more: 0,
    change: undefined,
  },
};

/** An installed file, signed as given, and what the initramfs's copy has that is different. */
const file = (signature: SignatureEvidence, because?: string): OwnFile => ({
  module: 'a' as ModuleName,
  of: 'a/1.0',
  path: '/lib/modules/6.1.3/updates/dkms/a.ko',
  signature,
  ...(because === undefined ? {} : { stale: { image: '/boot/initrd.img-6.1.3', because } }),
});
const signed = (trust: Extract<SignatureEvidence, { kind: 'signed' }>['trust']): SignatureEvidence => ({
  kind: 'signed',
  signer: 'DKMS key',
  keyId: 'AB',
  hash: 'sha256',
  trust,
  lacks: undefined,
  changed: false,
});

testChecks(TREE_CHECKS, [
  ['out-of-tree', { outOfTree: [] }, undefined],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'installed'), of('b', 'installed')] },
    'ok',
    /2 modules of dkms, all installed/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'not-built')] }, 'ok', /1 of 1 module of dkms is not installed for 6\.1\.3/],
  ['out-of-tree', { outOfTree: [of('a', 'not-built', '6.1.0')] }, 'wrong', /a\/1\.0: not built; 6\.1\.0 has it/],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'no-headers', '6.1.0')] },
    'wrong',
    /install the headers of 6\.1\.3, then dkms/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'failed')] }, 'warning', /plugd dkms log a\/1\.0 shows why/],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'failed', '6.0')] },
    'wrong',
    /its build failed: \/var\/lib\/dkms\/a\/1\.0\/build\/make\.log/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'broken')] }, 'warning', /its sources are missing/],
  ['out-of-tree', { outOfTree: [of('a', 'older', '6.0')] }, 'ok', /another version than the newest/],
  ['out-of-tree', { outOfTree: [of('a', 'built', '6.0')] }, 'wrong', /built, but not installed/],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'not-built', '6.0'), FAILED] },
    'wrong',
    /r\/1\.0: its build failed: main\.c:12: implicit declaration of function 'from_timer' \(api-change\); 6\.0 has it\nr\/1\.0 does not know kernel 6\.1\.3: look for a newer version of it \(plugd dkms log r\/1\.0 shows more\)/,
  ],
  ['out-of-tree-signatures', {}, undefined],
  [
    'out-of-tree-signatures',
    { ownFiles: [file(signed({ kind: 'undecided' }))] },
    'ok',
    /those that dkms built are signed/,
  ],
  ['out-of-tree-signatures', { ownFiles: [file({ kind: 'unsigned' })] }, 'ok', /a of a\/1\.0 is not signed/],
  [
    'out-of-tree-signatures',
    { ownFiles: [file({ kind: 'unsigned' })], enforced: true },
    'wrong',
    /would refuse 1 module of dkms[^]*a of a\/1\.0 is not signed\nplugd keys status/,
  ],
  [
    'out-of-tree-signatures',
    { ownFiles: [file(signed({ kind: 'unknown-key' } as never))], enforced: true },
    'wrong',
    /signed by 'DKMS key', whose key is not enrolled/,
  ],
  ['out-of-tree-copies', { ownFiles: [file({ kind: 'unsigned' })] }, undefined],
  [
    'out-of-tree-copies',
    { ownFiles: [file({ kind: 'unsigned' }, "its build id is A, the tree's B")] },
    'warning',
    /initrd\.img-6\.1\.3 has another copy of 1 module[^]*a of a\/1\.0: its build id is A[^]*update-initramfs -u -k 6\.1\.3/,
  ],
]);
