import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { inChroot } from '../../../agent/dkms/build/chroot.ts';

t.test('a chroot: process 1 has another root, or other mounts', async (t) => {
  const dir = t.testdir({ root: {}, other: {}, proc: {} });
  const proc = (name: string, mounts: readonly [first: string, own: string], root: string) => {
    for (const [process, text] of [
      ['1', mounts[0]],
      ['self', mounts[1]],
    ] as const) {
      mkdirSync(`${dir}/proc/${name}/${process}`, { recursive: true });
      writeFileSync(`${dir}/proc/${name}/${process}/mountinfo`, text);
    }
    if (root !== '') symlinkSync(`${dir}/${root}`, `${dir}/proc/${name}/1/root`);
    return `${dir}/proc/${name}`;
  };
  const rows: ReadonlyArray<readonly [rule: string, proc: string, answer: boolean]> = [
    ['the same of both', proc('same', ['a', 'a'], 'root'), false],
    ['other mounts', proc('mounts', ['a', 'b'], 'root'), true],
    ['another root', proc('root', ['a', 'a'], 'other'), true],
    ['a root that may not be looked at', proc('secret', ['a', 'a'], ''), false],
    ['no /proc', `${dir}/nothing`, true],
  ];
  for (const [rule, at, answer] of rows) t.equal(inChroot(at, `${dir}/root`), answer, rule);
  mkdirSync(`${dir}/proc/closed/self`, { recursive: true });
  t.equal(inChroot(`${dir}/proc/closed`, `${dir}/root`), false, '/proc that hides process 1');
});
