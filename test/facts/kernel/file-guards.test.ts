import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import {
  appraisalIn,
  imaMarkOf,
  pinnedIn,
  readFileGuards,
  readFilePlace,
  readImaMark,
  type ImaMark,
} from '../../../agent/facts/kernel/file-guards.ts';

const LINES: ReadonlyArray<readonly [rule: string, line: string, appraisal: string | undefined]> = [
  ['nothing', 'ro quiet', undefined],
  ['the policy for Secure Boot', 'ro ima_policy=secure_boot quiet', 'ima_policy=secure_boot'],
  ['among others', 'ima_policy=tcb|secure_boot', 'ima_policy=tcb|secure_boot'],
  ['in quotes', 'ima_policy="appraise_tcb|tcb"', 'ima_policy=appraise_tcb|tcb'],
  ['the old word', 'ima_appraise_tcb', 'ima_appraise_tcb'],
  ['a policy that only measures', 'ima_policy=tcb', undefined],
  ['a name that only begins so', 'ima_policy=secure_boots', undefined],
  ['switched off', 'ima_policy=secure_boot ima_appraise=off', undefined],
  ['only logged', 'ima_appraise=log ima_policy=secure_boot', undefined],
  ['the last mode counts', 'ima_appraise=log ima_policy=secure_boot ima_appraise=enforce', 'ima_policy=secure_boot'],
];
for (const [rule, line, appraisal] of LINES) {
  t.test(`IMA: ${rule}`, (t) => {
    t.equal(appraisalIn(line), appraisal);
    t.end();
  });
}

t.test('LoadPin by its sysctl, whatever the kernel calls it', (t) => {
  for (const [files, loadPin] of [
    [{ enforce: '1\n' }, true],
    [{ enforce: '0\n' }, false],
    [{ enabled: '1\n' }, true],
    [{}, false],
  ] as const) {
    const proc = t.testdir({ sys: { kernel: { loadpin: files } }, cmdline: 'ima_policy=secure_boot\n' });
    const guards = readFileGuards({ root: '', proc } as Host);
    t.match(guards, { loadPin, appraisal: 'ima_policy=secure_boot' });
  }
  t.end();
});

const MARKS: ReadonlyArray<readonly [rule: string, bytes: string, mark: ImaMark | { readonly kind: 'unknown' }]> = [
  ['the old hash', `01${'ab'.repeat(20)}`, { kind: 'hash', algorithm: 'sha1' }],
  ['a hash with its algorithm', `0404${'ab'.repeat(32)}`, { kind: 'hash', algorithm: 'sha256' }],
  [
    'of an algorithm that is newer than this table',
    `0463${'ab'.repeat(32)}`,
    { kind: 'hash', algorithm: 'algorithm 99' },
  ],
  ['a signature', `0302041a2b3c4d0100${'cd'.repeat(256)}`, { kind: 'signature', keyId: '1a2b3c4d' }],
  ['a signature of fs-verity', `0602041a2b3c4d0100${'cd'.repeat(256)}`, { kind: 'signature', keyId: '1a2b3c4d' }],
  ['a signature that is cut', '0302041a', { kind: 'unknown' }],
  ['empty', '', { kind: 'unknown' }],
  ['a type of something else', '02ff', { kind: 'unknown' }],
];
for (const [rule, bytes, mark] of MARKS) {
  t.test(`security.ima: ${rule}`, (t) => {
    t.match(imaMarkOf(Buffer.from(bytes, 'hex')), mark);
    t.end();
  });
}

t.test('security.ima of files', (t) => {
  const folder = t.testdir({ 'm.ko': 'x', 'signed.ko': 'x' });
  t.match(readImaMark('', join(folder, 'm.ko')).kind, /^(none|unknown)$/);
  t.match(readImaMark('', join(folder, 'gone.ko')), { kind: 'unknown', why: 'no such file or directory' });
  t.match(readImaMark('', '/proc/self/stat'), { kind: 'unknown', why: 'its file system has no such attributes' });
  // Writing it takes root, python3, and a file system that keeps it.
  const write = `import os, sys; os.setxattr(sys.argv[1], 'security.ima', bytes.fromhex('0404' + 'ab' * 32))`;
  const { status } = spawnSync('python3', ['-c', write, join(folder, 'signed.ko')], { stdio: 'ignore' });
  if (status === 0) t.same(readImaMark('', join(folder, 'signed.ko')), { kind: 'hash', algorithm: 'sha256' });
  else t.comment('security.ima cannot be written here');
  t.end();
});

t.test("LoadPin's first file, and on which file system a file lies", (t) => {
  const log = [
    'LoadPin: ready to pin (currently enforcing)',
    'LoadPin: kernel-module pinned obj="/usr/lib/modules/6/a.ko" pid=90 cmdline="modprobe a"',
    'LoadPin: kernel-module denied obj="/mnt/m.ko" pid=91 cmdline="insmod m.ko"',
  ];
  t.equal(pinnedIn(log), '/usr/lib/modules/6/a.ko');
  t.equal(pinnedIn(log.slice(2)), undefined);
  const line = (device: string, place: string, source: string) => `36 35 ${device} / ${place} rw - ext4 ${source} rw\n`;
  const mountinfo = line('8:1', '/', '/dev/sda1') + line('8:17', '/mnt', '/dev/sdb1');
  const host = { root: '', proc: t.testdir({ self: { mountinfo } }) } as Host;
  for (const [path, device] of [
    ['/usr/lib/modules/6/a.ko', '8:1'],
    ['/mnt/m.ko', '8:17'],
    ['/mnt2/m.ko', '8:1'],
  ] as const)
    t.equal(readFilePlace(host, path)?.device, device, path);
  t.same(readFilePlace(host, '/mnt/m.ko'), { path: '/mnt/m.ko', device: '8:17', mount: '/dev/sdb1 on /mnt' });
  t.equal(readFilePlace({ root: '', proc: t.testdir({}) } as Host, '/m.ko'), undefined, 'without a mount table');
  t.end();
});
