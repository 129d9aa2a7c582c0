import t from 'tap';
import { ERRNO, type ErrnoName } from '../../agent/base/errno.ts';
import type { Explanation } from '../../agent/diagnosis/diagnosis-facts.ts';
import {
  cannotDecompress,
  cannotOpen,
  openFailed,
  missingFile,
  notAModule,
  unusableFile,
} from '../../agent/diagnosis/diagnosis-file.ts';
import { factsGiven, knownFactsGiven, type Given } from './diagnosis-rig.ts';

const REINSTALL = 'install the package that holds it again';
const RECOMPRESS = 'compress it again with a smaller window: xz -9, or zstd without --long';
const GONE = { kind: 'missing', elsewhere: undefined } as const;
const MOVED = { kind: 'missing', elsewhere: '/lib/modules/updates/m.ko' } as const;
const TRUNCATED = { kind: 'unusable', why: 'truncated', compressed: false } as const;
const BAD_XZ = { kind: 'unusable', why: 'damaged or truncated xz data', compressed: true } as const;

type Rows = ReadonlyArray<readonly [rule: string, given: Given, expected: Explanation | undefined]>;

const gone: Explanation = {
  evidence: ['there is no file /lib/modules/m.ko'],
  remedy: `${REINSTALL}, then run depmod`,
};
const moved: Explanation = {
  evidence: ['there is no file /lib/modules/m.ko', 'a file of that name is at /lib/modules/updates/m.ko'],
  remedy: 'the indexes are older than the modules: run depmod',
};
const MISSING: Rows = [
  ['before the call: the file is not there', { file: GONE }, gone],
  ['before the call: it is elsewhere', { file: MOVED }, moved],
  ['before the call: it is there', {}, undefined],
  ['before the call: it is there, and damaged', { file: TRUNCATED }, undefined],
  ['it could not be opened', { file: GONE, errno: 'ENOENT', during: 'open' }, gone],
  ['it could not be opened, and is elsewhere', { file: MOVED, errno: 'ENOENT', during: 'open' }, moved],
  ['it is there by now', { errno: 'ENOENT', during: 'open' }, gone],
  ['the call itself failed, whatever became of the file', { file: GONE, errno: 'ENOENT' }, undefined],
  [
    'a name that is not ASCII stays as it is',
    { path: '/lib/modules/m\xe9.ko', file: GONE },
    { ...gone, evidence: ['there is no file /lib/modules/m\xe9.ko'] },
  ],
];
for (const [rule, given, expected] of MISSING) {
  t.test(`no file: ${rule}`, (t) => {
    t.same(missingFile(factsGiven(given)), expected);
    t.end();
  });
}

t.test('no file: the error of an open says so before anybody looks', (t) => {
  t.same(missingFile(knownFactsGiven({ errno: 'ENOENT', during: 'open' })), gone);
  t.equal(missingFile(knownFactsGiven({})), undefined);
  t.end();
});

t.test('only an open that fails says that a file cannot be opened', (t) => {
  t.same(cannotOpen(knownFactsGiven({ errno: 'EACCES', during: 'open' })), {
    evidence: ['/lib/modules/m.ko could not be opened: Permission denied'],
    remedy: 'run it as root; if it is, look at the file and its folders',
  });
  t.match(openFailed(knownFactsGiven({ errno: 521, during: 'open' })), { evidence: [/: Unknown error 521$/] });
  t.equal(cannotOpen(knownFactsGiven({ errno: 521, during: 'open' })), undefined, 'not for want of rights');
  t.match(openFailed(knownFactsGiven({ errno: 'EMFILE', during: 'open' })), { remedy: /LimitNOFILE/ });
  t.equal(openFailed(knownFactsGiven({ errno: 'EMFILE' })), undefined, 'the call');
  t.equal(cannotOpen(knownFactsGiven({ errno: 'EACCES' })), undefined, 'the call');
  t.equal(cannotOpen(knownFactsGiven({ errno: 'EACCES', during: 'decompress' })), undefined, 'decompression');
  t.equal(cannotOpen(knownFactsGiven({})), undefined, 'it was not tried');
  const unread = (errno: ErrnoName, compressed = false) =>
    cannotOpen(factsGiven({ file: { kind: 'unusable', why: 'x', compressed, errno: ERRNO[errno] } }));
  t.match(
    unread('EACCES'),
    { evidence: [/m\.ko could not be opened: Permission denied$/] },
    'who asks may not read it',
  );
  t.equal(unread('EINVAL'), undefined, 'damage');
  t.equal(unread('EACCES', true), undefined, 'decompression');
  t.end();
});

const COMPRESSION: Rows = [
  ['before the call: the file says so', { file: BAD_XZ }, { evidence: [BAD_XZ.why], remedy: REINSTALL }],
  ['before the call: a file that is not compressed is another case', { file: TRUNCATED }, undefined],
  [
    'before the call: it takes more memory than plugd gives',
    { file: { ...BAD_XZ, why: 'a window of 192 MiB', errno: ERRNO.ENOMEM } },
    { evidence: ['a window of 192 MiB'], remedy: RECOMPRESS },
  ],
  [
    'the step that failed had not enough memory',
    { errno: 'ENOMEM', during: 'decompress', why: 'a window of 192 MiB' },
    { evidence: ['a window of 192 MiB'], remedy: RECOMPRESS },
  ],
  ['before the call: a good file', {}, undefined],
  [
    'the step that failed has its own words',
    { file: BAD_XZ, errno: 'EBADMSG', during: 'decompress', why: 'no memory for the xz decoder' },
    { evidence: ['no memory for the xz decoder'], remedy: REINSTALL },
  ],
  [
    "the file's words, when the step has none",
    { file: BAD_XZ, errno: 'EBADMSG', during: 'decompress' },
    { evidence: [BAD_XZ.why], remedy: REINSTALL },
  ],
  [
    'no words at all',
    { errno: 'EBADMSG', during: 'decompress' },
    { evidence: ['/lib/modules/m.ko could not be decompressed'], remedy: REINSTALL },
  ],
  ['the kernel decompressed it, or tried to', { file: BAD_XZ, errno: 'EBADMSG' }, undefined],
  ['it was not even opened', { file: BAD_XZ, errno: 'EACCES', during: 'open' }, undefined],
];
for (const [rule, given, expected] of COMPRESSION) {
  t.test(`decompression: ${rule}`, (t) => {
    t.same(cannotDecompress(factsGiven(given)), expected);
    t.end();
  });
}

const damaged: Explanation = { evidence: ['/lib/modules/m.ko: truncated'], remedy: REINSTALL };
const UNUSABLE: Rows = [
  ['before the call', { file: TRUNCATED }, damaged],
  ['a good file', {}, undefined],
  ['no file', { file: GONE }, undefined],
  ...(['ENOEXEC', 'EINVAL', 'EFBIG', 'ELIBBAD', 'EKEYREJECTED', 'EBADMSG', 'ENODATA', 'EIO'] as const).map(
    (errno) => [`${errno} fits damage`, { file: TRUNCATED, errno }, damaged] as const,
  ),
  ['ENODEV comes from an init, so the kernel could read it', { file: TRUNCATED, errno: 'ENODEV' }, undefined],
  ['EPERM says nothing about damage', { file: TRUNCATED, errno: 'EPERM' }, undefined],
  [
    'compressed data that the kernel itself could not undo',
    { file: BAD_XZ, errno: 'EINVAL' },
    { evidence: ['/lib/modules/m.ko: damaged or truncated xz data'], remedy: REINSTALL },
  ],
];
for (const [rule, given, expected] of UNUSABLE) {
  t.test(`a damaged file: ${rule}`, (t) => {
    t.same(unusableFile(factsGiven(given)), expected);
    t.end();
  });
}

t.test('not a module: the first thing that the kernel said is shown', (t) => {
  const evidence = ['the kernel does not take /lib/modules/m.ko for a module'];
  const remedy = `${REINSTALL}, or build it again`;
  t.same(notAModule(knownFactsGiven({ errno: 'ENOEXEC' })), { evidence, remedy });
  t.same(notAModule(knownFactsGiven({ errno: 'ENOEXEC', log: ['Invalid ELF header magic: != \x7fELF', 'x'] })), {
    evidence: [...evidence, 'the kernel said: Invalid ELF header magic: != \x7fELF'],
    remedy,
  });
  t.end();
});
