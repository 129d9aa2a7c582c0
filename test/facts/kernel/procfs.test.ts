import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { processFields, readCryptoNames, readProc } from '../../../agent/facts/kernel/procfs.ts';

t.test('a file of procfs, of any writer', (t) => {
  const base = t.testdir({ outside: 'secret\n', image: { proc: { modules: 'e1000e 1 0 - Live 0x0\n' } } });
  const root = join(base, 'image');
  const image = { root, proc: join(root, 'proc') };
  symlinkSync(join(base, 'outside'), join(image.proc, 'cmdline'));
  symlinkSync('../../outside', join(image.proc, 'keys'));
  symlinkSync('/proc/modules', join(image.proc, 'inside'));
  mkdirSync(join(image.proc, 'folder'));
  writeFileSync(join(image.proc, 'bytes'), Buffer.from([0xe9, 0x0a]));
  const rows: ReadonlyArray<readonly [string, { root: string; proc: string }, string, string | undefined]> = [
    ['of an image', image, 'modules', 'e1000e 1 0 - Live 0x0\n'],
    ['not there', image, 'none', undefined],
    ['a folder', image, 'folder', undefined],
    ['what is not UTF-8 is latin1', image, 'bytes', 'é\n'],
    ['an absolute link to a file of the host', image, 'cmdline', undefined],
    ['a relative link that climbs out', image, 'keys', undefined],
    ['an absolute link is one of the image', image, 'inside', 'e1000e 1 0 - Live 0x0\n'],
    ['on the live machine links lead where they lead', { root: '', proc: image.proc }, 'cmdline', 'secret\n'],
    [
      'a procfs that a person named, outside the root',
      { root: join(base, 'other'), proc: image.proc },
      'modules',
      'e1000e 1 0 - Live 0x0\n',
    ],
  ];
  for (const [name, host, file, expected] of rows) t.equal(readProc(host, file), expected, name);
  t.end();
});

t.test('the algorithms of /proc/crypto', (t) => {
  const proc = t.testdir({
    crypto: 'name         : sha256\ndriver       : sha256-generic\n\nname         : ecdsa-nist-p384\n',
  });
  t.same([...(readCryptoNames({ root: '', proc }) ?? [])], ['sha256', 'ecdsa-nist-p384']);
  t.equal(readCryptoNames({ root: '', proc: '/nowhere' }), undefined, 'where there is none');
  t.end();
});

t.test('the fields of a process', async (t) => {
  const proc = t.testdir({ '7': { stat: '7 (a) b) (c) S 4 5 6 0\n' } });
  t.same(processFields(proc, '7').slice(0, 4), ['S', '4', '5', '6'], 'its name may have brackets');
  t.same(processFields(proc, '8'), [], 'it is gone');
  t.equal(processFields('/proc', 'self')[1], String(process.ppid));
});
