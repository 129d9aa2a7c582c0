import t from 'tap';
import { PlugdError } from '../../agent/base/error.ts';
import { IndexTrie } from '../../agent/indexes/trie.ts';
import { indexBytes, indexOf, key, type Row } from '../fixtures/index.ts';
import { Random } from '../fixtures/random.ts';

const ROWS: readonly Row[] = [
  ['pci:v00008086d00001E31sv*sd*bc*sc*i*', 'xhci_pci', 812],
  ['pci:v00008086d00001E2Dsv*sd*bc*sc*i*', 'ehci_pci', 811],
  ['pci:v*d*sv*sd*bc0Csc03i30*', 'xhci_pci', 812],
  ['usb:v1D6Bp000[1-3]d*dc*dsc*dp*ic*', 'hub', 3],
  ['usb:v1D6Bp000[1-3]d*dc*dsc*dp*ic09*', 'hub2', 4],
  ['of:N*T*Carm,pl011C*', 'amba_pl011', 90],
  ['of:N*T*Carm,pl011', 'amba_pl011', 90],
  ['platform:Fixed MDIO bus', 'fixed_phy', 5],
  ['snd', 'snd', 1],
  ['snd_hda', 'snd_hda', 0],
  ['snd_hda_intel', 'kernel/sound/pci/hda/snd-hda-intel.ko: kernel/sound/core/snd.ko', 2],
  ['*\\*?', 'escape', 6],
  ['char_major_10_130', 'a', 9],
  ['char_major_10_130', 'b', 8],
  ['char_major_10_130', 'a', 9],
];
const QUESTIONS = [
  'pci:v00008086d00001E31sv000017AAsd000021F3bc0Csc03i30',
  'usb:v1D6Bp0002d0601dc09dsc00dp01ic09',
  'of:NserialT(null)Carm,pl011Carm,primecell',
  'snd_hda_intel',
  'char_major_10_130',
  'a*b',
  '',
];

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s+/g, ''), 'hex');
}

/** Every answer an index gives. Errors must be `corrupt-index`, naming the file. */
function askEverything(bytes: Buffer): 'answered' | 'corrupt' {
  let end: 'answered' | 'corrupt' = 'answered';
  const ask = (question: () => unknown): void => {
    try {
      question();
    } catch (error) {
      if (
        !(error instanceof PlugdError) ||
        error.code !== 'corrupt-index' ||
        !error.message.startsWith('x.bin: offset 0x')
      ) {
        throw error;
      }
      end = 'corrupt';
    }
  };
  ask(() => {
    const index = new IndexTrie(bytes, 'x.bin');
    for (const question of QUESTIONS) {
      ask(() => index.exact(question));
      ask(() => index.search(key(question)));
    }
    ask(() => [...index.entries()]);
  });
  return end;
}

t.test('an index of nothing', (t) => {
  for (const [name, bytes] of [
    ['a file of zero bytes', Buffer.alloc(0)],
    ['a header whose root is behind it', hex('B007F457 00020001 0000000C')],
    ['what the builder writes', indexBytes([])],
  ] as const) {
    const index = new IndexTrie(bytes, 'x.bin');
    t.equal(index.exact(''), undefined, name);
    t.same(index.search(key('a')), []);
    t.same([...index.entries()], []);
  }
  t.end();
});

t.test('a file by hand: prefix, children with a hole, values', (t) => {
  // ab → 1 "m"; ad* → 2 "n", 3 "o". The root at 0x36 has one child a; that has children b and d (c is a hole).
  const bytes = hex(`
    B007F457 00020001 20000036
    00000001 00000001 6D00
    2A00 00000002 00000002 6E00 00000003 6F00
    6264 4000000C 00000000 C0000016
    6161 20000028`);
  const index = new IndexTrie(bytes, 'x.bin');
  t.equal(index.exact('ab'), 'm');
  for (const missing of ['', 'a', 'ac', 'ad', 'abc', 'b', 'a\x80', 'a\u0162'])
    t.equal(index.exact(missing), undefined, missing);
  t.equal(index.exact('ad*'), 'n', 'the first value');
  t.same(index.search(key('ab')), [{ value: 'm', priority: 1, pattern: 'ab' }]);
  t.same(index.search(key('adx')), [
    { value: 'n', priority: 2, pattern: 'ad*' },
    { value: 'o', priority: 3, pattern: 'ad*' },
  ]);
  t.same(
    [...index.entries()],
    [
      { key: 'ab', value: 'm', priority: 1 },
      { key: 'ad*', value: 'n', priority: 2 },
      { key: 'ad*', value: 'o', priority: 3 },
    ],
  );
  t.end();
});

for (const layout of ['children-first', 'parent-first'] as const) {
  t.test(`all values, in byte order of keys: ${layout}`, (t) => {
    const entries = [...indexOf(ROWS, layout).entries()];
    const keys = ROWS.map(([name]) => name).toSorted();
    t.same(
      entries.map((entry) => entry.key),
      keys,
    );
    t.same(
      entries.filter((entry) => entry.key === 'char_major_10_130').map(({ value }) => value),
      ['b', 'a', 'a'],
    );
    t.end();
  });

  t.test(`exact takes every byte as itself: ${layout}`, (t) => {
    const index = indexOf(ROWS, layout);
    for (const [name] of ROWS) {
      const first = ROWS.filter((row) => row[0] === name).toSorted((a, b) => a[2] - b[2])[0];
      t.equal(index.exact(name), first?.[1], name);
    }
    for (const name of ['', 's', 'sn', 'snd_', 'snd_hda_intel_', 'of:N*T*Carm,pl011D', 'zzz'])
      t.equal(index.exact(name), undefined, name);
    t.end();
  });
}

t.test('what is no index', (t) => {
  const rows: ReadonlyArray<readonly [string, Buffer, RegExp]> = [
    ['a header cut off', hex('B007F457 0002'), /x\.bin: offset 0x6: the file ends inside its header/],
    ['another magic', hex('B007F458 00020001 0000000C'), /magic number is 0xB007F458, not 0xB007F457/],
    ['a text file', Buffer.from('# Aliases extracted from modules themselves.\n'), /magic/],
    ['another version', hex('B007F457 00030001 0000000C'), /unknown format version 3/],
    ['a root behind the end', hex('B007F457 00020001 4000000E'), /the root is at 0xE, outside the file/],
    ['a root in the header', hex('B007F457 00020001 20000004 0000'), /the root is at 0x4, outside the file/],
    ['a cut-off index is not an empty one', indexBytes(ROWS).subarray(0, 12), /root is at/],
  ];
  for (const [name, bytes, message] of rows) {
    t.throws(() => new IndexTrie(bytes, 'x.bin'), { code: 'corrupt-index', message, remedy: /depmod/ }, name);
  }
  t.end();
});

t.test('a newer minor version is read', (t) => {
  const bytes = indexBytes(ROWS);
  bytes.writeUInt16BE(7, 6);
  t.equal(new IndexTrie(bytes, 'x.bin').exact('snd'), 'snd');
  t.end();
});

t.test('what leads in cycles, or nowhere', (t) => {
  const rows: ReadonlyArray<readonly [string, Buffer]> = [
    ['a node that is its own child behind a star', hex('B007F457 00020001 2000000C 2A2A 2000000C')],
    ['behind any byte', hex('B007F457 00020001 2000000C 3F3F 2000000C')],
    ['behind a bracket', hex('B007F457 00020001 2000000C 5B5B 2000000C')],
    ['behind a bracket and a plain byte', hex('B007F457 00020001 2000000C 5B5B 20000012 6161 20000012')],
    ['two nodes in a cycle', hex('B007F457 00020001 2000000C 2A2A A0000012 2A00 2A2A 2000000C')],
    ['a cycle with every byte a child', cycle()],
    ['a cycle with values at every turn', hex('B007F457 00020001 6000000C 2A2A 6000000C 00000001 00000000 6D00')],
    ['a reference into the header', hex('B007F457 00020001 2000000C 2A2A 20000004')],
    ['a reference behind the end', hex('B007F457 00020001 2000000C 2A2A 200000FF')],
    ['a table whose end is before its beginning', hex('B007F457 00020001 2000000C 7A61 2000000C')],
    ['a table that is cut off', hex('B007F457 00020001 2000000C 2A7F 2000000C')],
    ['a prefix without an end', hex('B007F457 00020001 8000000C 2A2A2A2A')],
    ['a value without an end', hex('B007F457 00020001 C000000C 2A00 00000001 00000001 6D6D')],
    ['more values than there are bytes', hex('B007F457 00020001 C000000C 2A00 FFFFFFFF 00000001 6D00')],
    ['a count of values that is cut off', hex('B007F457 00020001 C000000C 2A00 0000')],
  ];
  for (const [name, bytes] of rows) t.equal(askEverything(bytes), 'corrupt', name);
  t.end();
});

/** A node that has itself as each of its 128 children. */
function cycle(): Buffer {
  const bytes = Buffer.alloc(12 + 2 + 4 * 128);
  hex('B007F457 00020001 2000000C 007F').copy(bytes);
  for (let at = 14; at < bytes.length; at += 4) bytes.writeUInt32BE(0x2000000c, at);
  return bytes;
}

for (const layout of ['children-first', 'parent-first'] as const) {
  t.test(`cut off at every length it answers or says so: ${layout}`, (t) => {
    const whole = indexBytes(ROWS, layout);
    t.equal(askEverything(whole), 'answered');
    let corrupt = 0;
    for (let length = 1; length < whole.length; length++) {
      if (askEverything(whole.subarray(0, length)) === 'corrupt') corrupt++;
    }
    t.equal(corrupt, whole.length - 1, 'each cut is noticed by one of the questions');
    t.end();
  });

  t.test(`with flipped bits it answers or says so (seeded): ${layout}`, (t) => {
    const random = new Random(layout.length);
    const whole = indexBytes(ROWS, layout);
    const ends = { answered: 0, corrupt: 0 };
    for (let round = 0; round < 4000; round++) {
      const bytes = Buffer.from(whole);
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      ends[askEverything(bytes)]++;
    }
    t.ok(ends.answered > 100, `${ends.answered} answered`);
    t.ok(ends.corrupt > 1000, `${ends.corrupt} found corrupt`);
    t.end();
  });
}

t.test('random bytes behind a header (seeded)', (t) => {
  const random = new Random(9);
  let corrupt = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(Array.from({ length: 12 + random.below(200) }, () => random.below(256)));
    hex('B007F457 00020001').copy(bytes);
    // Half of them small numbers, so that references often point inside.
    if (round % 2 === 0)
      for (let at = 8; at + 4 <= bytes.length; at += 4)
        bytes.writeUInt32BE(((random.below(16) << 28) | random.below(bytes.length)) >>> 0, at);
    if (askEverything(bytes) === 'corrupt') corrupt++;
  }
  t.ok(corrupt > 2500, `${corrupt} of 3000`);
  t.end();
});

t.test('a damaged part does not disturb the others', (t) => {
  const bytes = indexBytes(ROWS);
  const at = bytes.indexOf('xhci_pci');
  t.ok(at > 0);
  // The first value's terminator and everything behind the root's table stay; one reference is bent.
  const index = new IndexTrie(bytes, 'x.bin');
  const before = index.search(key('snd_hda'));
  const root = bytes.readUInt32BE(8) & 0x0fffffff;
  const first = bytes[root] ?? 0;
  bytes.writeUInt32BE(0x2fffffff, root + 2 + 4 * ('p'.charCodeAt(0) - first));
  const bent = new IndexTrie(bytes, 'x.bin');
  t.same(bent.search(key('snd_hda')), before);
  t.throws(() => bent.search(key('pci:v00008086')), { code: 'corrupt-index', message: /points outside the file/ });
  t.same(bent.search(key('snd_hda')), before, 'also after an error');
  t.end();
});

t.test('deep indexes need no deep stack', (t) => {
  const rows = Array.from({ length: 4095 }, (_, i): Row => ['*'.repeat(i + 1), `m${i}`, i]);
  const index = indexOf(rows);
  t.equal(index.search(key('x')).length, 4095);
  t.equal([...index.entries()].length, 4095);
  t.equal(index.exact('*'.repeat(4095)), 'm4094');
  t.end();
});
