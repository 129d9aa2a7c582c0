import t from 'tap';
import { fnmatch } from '../../agent/base/fnmatch.ts';
import type { Row } from '../fixtures/index.ts';
import { indexOf, key, patternIndex } from '../fixtures/index.ts';
import { Random } from '../fixtures/random.ts';
import { kmodSearch } from './kmod-search.ts';

const PATTERNS = [
  'pci:v00008086d00001E31sv*sd*bc*sc*i*',
  'pci:v00008086d*sv*sd*bc04sc03i00*',
  'pci:v*d*sv*sd*bc0Csc03i30*',
  'pci:v*d*sv*sd*bc01sc06i01*',
  'usb:v*p*d*dc*dsc*dp*ic03isc*ip*in*',
  'usb:v1D6Bp000[23]d*dc*dsc*dp*ic*isc*ip*in*',
  'usb:v1D6Bp000[!23]d*dc*dsc*dp*ic*isc*ip*in*',
  'hid:b0003g*v0000046Dp0000C52B',
  'hid:b0003g*v*p*',
  'input:b*v*p*e*_e*1,*k*14A,*ra*0,*1,*m*lsfw*',
  'cpu:type:x86,ven*fam*mod*:feature:*0099*',
  'acpi*:PNP0C0A:*',
  'acpi*:PNP0C:*',
  'of:N*T*Carm,pl011',
  'of:N*T*Carm,pl011C*',
  'of:N*T*Carm,primecellC*',
  'of:N*T*C*',
  'dmi*:svnDell*:pnLatitude*:',
  'dmi:*bvn?ell*',
  'platform:Fixed MDIO bus',
  'virtio:d00000001v*',
  'char_major_10_*',
  '*',
];

const LOOKUPS: ReadonlyArray<readonly [rule: string, name: string, expected: readonly string[]]> = [
  [
    'a device, its vendor and its class',
    'pci:v00008086d00001E31sv000017AAsd000021F3bc0Csc03i30',
    ['pci:v00008086d00001E31sv*sd*bc*sc*i*', 'pci:v*d*sv*sd*bc0Csc03i30*', '*'],
  ],
  ['only the class', 'pci:v00001022d00007901sv00001462sd00007C37bc01sc06i01', ['pci:v*d*sv*sd*bc01sc06i01*', '*']],
  [
    'a set takes a member',
    'usb:v1D6Bp0002d0601dc09dsc00dp01ic09isc00ip00in00',
    ['usb:v1D6Bp000[23]d*dc*dsc*dp*ic*isc*ip*in*', '*'],
  ],
  [
    'a set turned round takes another',
    'usb:v1D6Bp0004d0601dc09dsc00dp01ic03isc00ip00in00',
    ['usb:v1D6Bp000[!23]d*dc*dsc*dp*ic*isc*ip*in*', 'usb:v*p*d*dc*dsc*dp*ic03isc*ip*in*', '*'],
  ],
  ['hid', 'hid:b0003g0001v0000046Dp0000C52B', ['hid:b0003g*v0000046Dp0000C52B', 'hid:b0003g*v*p*', '*']],
  [
    'a pattern that matches in several ways is one match',
    'cpu:type:x86,ven0000fam0006mod003A:feature:,0099,0099,0099',
    ['cpu:type:x86,ven*fam*mod*:feature:*0099*', '*'],
  ],
  ['a star before the colon', 'acpi:PNP0C0A:', ['acpi*:PNP0C0A:*', '*']],
  ['the second id of a list', 'acpi:SMO8810:PNP0C:', ['acpi*:PNP0C:*', '*']],
  [
    'a device tree node with several compatibles',
    'of:NserialT(null)Carm,pl011Carm,primecell',
    ['of:N*T*Carm,pl011C*', 'of:N*T*C*', '*'],
  ],
  [
    'bytes of the pattern that occur in the name before',
    'of:NTCCT(null)CCarm,pl011',
    ['of:N*T*Carm,pl011', 'of:N*T*C*', '*'],
  ],
  [
    'a name may contain slashes',
    'dmi:bvnDell/Inc:svnDellInc.:pnLatitude/E6430:',
    ['dmi*:svnDell*:pnLatitude*:', 'dmi:*bvn?ell*', '*'],
  ],
  ['a name with blanks', 'platform:Fixed MDIO bus', ['platform:Fixed MDIO bus', '*']],
  ['bytes that are not 7-bit match wildcards only', 'char_major_10_\xff\xe4', ['char_major_10_*', '*']],
  ['characters that are no bytes match wildcards only', 'virtio:d00000001v\u0142', ['virtio:d00000001v*', '*']],
  ['nothing but a star takes the empty name', '', ['*']],
];

for (const layout of ['children-first', 'parent-first'] as const) {
  const index = patternIndex(PATTERNS, layout);
  for (const [rule, name, expected] of LOOKUPS) {
    t.test(`${layout}: ${rule}`, (t) => {
      const found = index.search(key(name)).map(({ value, pattern, priority }) => {
        t.equal(pattern, value, 'the pattern told is the one that matched');
        t.equal(priority, 0);
        return value;
      });
      t.same(found.toSorted(), expected.toSorted());
      t.same(found.toSorted(), PATTERNS.filter((pattern) => fnmatch(pattern, name)).toSorted(), 'as fnmatch says');
      t.end();
    });
  }
}

t.test('order: ascending by priority, of equal ones the later found first', (t) => {
  const values = (rows: readonly Row[], name: string) =>
    indexOf(rows)
      .search(key(name))
      .map(({ value }) => value);
  t.same(
    values(
      [
        ['a*', 'star', 7],
        ['ab', 'exact', 3],
        ['?b', 'any', 5],
      ],
      'ab',
    ),
    ['exact', 'any', 'star'],
  );
  // Found in the order `*`, `?`, `[`, the exact key; each goes before the one found earlier.
  t.same(
    values(
      [
        ['a*', 'star', 0],
        ['ab', 'exact', 0],
        ['a?', 'any', 0],
        ['a[b]', 'set', 0],
      ],
      'ab',
    ),
    ['exact', 'set', 'any', 'star'],
  );
  // Of one key's values the later inserted stands first in the file, so it is found first and comes last.
  t.same(
    values(
      [
        ['k', 'one', 0],
        ['k', 'two', 0],
        ['k', 'three', 0],
      ],
      'k',
    ),
    ['one', 'two', 'three'],
  );
  t.same(
    values(
      [
        ['k', 'x', 4],
        ['k', 'y', 2],
        ['k', 'x', 4],
      ],
      'k',
    ),
    ['y', 'x'],
    'a value of a key is found once',
  );
  t.same(
    values(
      [
        ['a*', 'm', 1],
        ['ab', 'm', 1],
      ],
      'ab',
    ),
    ['m', 'm'],
    'of two keys twice: the patterns differ',
  );
  t.end();
});

t.test('down to the first wildcard bytes are bytes: kmod has no escapes there', (t) => {
  t.same(
    patternIndex(['a\\*b'])
      .search(key('a\\xb'))
      .map(({ value }) => value),
    ['a\\*b'],
  );
  t.same(patternIndex(['a\\*b']).search(key('a*b')), []);
  t.same(
    patternIndex(['*\\*b'])
      .search(key('a*b'))
      .map(({ value }) => value),
    ['*\\*b'],
  );
  t.same(patternIndex(['*\\*b']).search(key('a\\xb')), []);
  t.end();
});

// Small alphabets make many accidental matches, splits inside sets, escapes at the ends of prefixes.
const ALPHABETS = ['ab*', 'ab*?', 'ab*?[]', 'ab*?[]!-', 'ab*\\', 'ab*?[]^-\\', 'a*', '01[]*-'];
const NAMES = ['ab', 'ab', 'ab*?[]', 'ab]-!', 'ab\\', 'ab]^-\\', 'a', '01'];
t.test('agrees with the plain model on random indexes and names, order included (seeded)', (t) => {
  const random = new Random(1);
  let matches = 0;
  let lookups = 0;
  for (let round = 0; round < 1500; round++) {
    const which = round % ALPHABETS.length;
    const rows = Array.from({ length: 1 + random.below(30) }, (_, i): Row => {
      const pattern = random.text(ALPHABETS[which] as string, 0, 9);
      return [pattern, `m${i}`, random.below(2) === 0 ? 0 : random.below(5)];
    });
    const index = indexOf(rows, random.of(['children-first', 'parent-first']));
    for (let i = 0; i < 20; i++) {
      const name = random.below(8) === 0 ? random.of(rows)[0] : random.text(NAMES[which] as string, 0, 9);
      // kmod can find a key twice when the name has wildcards; told here is the first in the answer's order.
      const expected = [...new Set(kmodSearch(rows, name).map(([pattern, value]) => `${pattern} ${value}`))];
      const found = index.search(key(name)).map(({ pattern, value }) => `${pattern} ${value}`);
      lookups++;
      matches += found.length;
      if (JSON.stringify(found) === JSON.stringify(expected)) continue;
      t.same(found, expected, `rows ${JSON.stringify(rows)}, name ${JSON.stringify(name)}`);
      t.end();
      return;
    }
  }
  t.equal(lookups, 30_000);
  t.ok(matches > 20_000, `${matches} matches: the comparison is not of nothing with nothing`);
  t.end();
});

t.test('long names', (t) => {
  const index = patternIndex(['a*b*c', '*aaaaaaaab', `${'?'.repeat(300)}*`, 'x*x*x*x*y', '*[ab]*[cd]']);
  t.same(
    index
      .search(key(`a${'b'.repeat(4000)}c`))
      .map(({ value }) => value)
      .toSorted(),
    ['*[ab]*[cd]', `${'?'.repeat(300)}*`, 'a*b*c'],
  );
  t.same(
    index
      .search(key(`${'a'.repeat(4094)}b`))
      .map(({ value }) => value)
      .toSorted(),
    ['*aaaaaaaab', `${'?'.repeat(300)}*`],
  );
  t.same(
    index.search(key('x'.repeat(4095))).map(({ value }) => value),
    [`${'?'.repeat(300)}*`],
  );
  t.end();
});

t.test('what a search finds is not what an earlier one found', (t) => {
  const index = patternIndex(['a*', 'b*']);
  const first = index.search(key('ax'));
  t.same(
    index.search(key('bx')).map(({ value }) => value),
    ['b*'],
  );
  t.same(
    first.map(({ value }) => value),
    ['a*'],
  );
  t.end();
});
