import { tmpdir } from 'node:os';
import t from 'tap';
import {
  freeSpace,
  fullOf,
  isLackOfSpace,
  lackOfSpace,
  tellsLackOfSpace,
} from '../../../../agent/dkms/build/space/free-space.ts';

t.test('how much is free', async (t) => {
  t.ok((freeSpace(tmpdir()) ?? 0) > 0);
  t.equal(freeSpace('/nowhere'), undefined);
  t.equal(lackOfSpace(tmpdir(), 0), undefined);
  t.equal(lackOfSpace('/nowhere', 2 ** 60), undefined, 'what nobody knows stops nothing');
  t.match(lackOfSpace(tmpdir(), 2 ** 60), { kind: 'no-space', folder: tmpdir(), needed: 2 ** 60 + 2 ** 20 });
  t.equal(fullOf([tmpdir(), '/nowhere']), undefined);
});

t.test('what says that a disk is full', async (t) => {
  for (const [code, errno, full] of [
    ['ENOSPC', -28, true],
    ['EDQUOT', -122, true],
    ['EACCES', -13, false],
  ] as const)
    t.equal(isLackOfSpace(Object.assign(new Error(code), { code, errno })), full, code);
  t.notOk(isLackOfSpace('text'));
  for (const [text, full] of [
    ['cp: error writing: No space left on device', true],
    ['cc1: Disk quota exceeded', true],
    ['make: *** Error 2', false],
  ] as const)
    t.equal(tellsLackOfSpace(text), full, text);
});
