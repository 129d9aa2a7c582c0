import t from 'tap';
import { fromMachineText, nativePath, ownText, toMachineText } from '../../agent/base/machine-text.ts';
import { Random } from '../fixtures/random.ts';

const ROWS: Readonly<Record<string, readonly [machine: string, ordinary: string]>> = {
  'ASCII is the same': ['kernel/a.ko', 'kernel/a.ko'],
  'empty text is empty': ['', ''],
  'two bytes of UTF-8': ['gr\xc3\xb6\xc3\x9fe', 'größe'],
  'three bytes': ['\xe2\x82\xac', '€'],
  'four bytes are a surrogate pair': ['\xf0\x9f\x92\xbe', '💾'],
  'a stray byte becomes a lone surrogate': ['a\xffb', 'a\udcffb'],
  'a sequence cut short': ['\xe2\x82', '\udce2\udc82'],
  'stray bytes beside UTF-8': ['\xc3\xa9\xe9\xc3\xa9', 'é\udce9é'],
  'an overlong form is stray bytes': ['\xc0\xaf', '\udcc0\udcaf'],
  'an encoded surrogate is stray bytes': ['\xed\xb2\x80', '\udced\udcb2\udc80'],
  'beyond U+10FFFF': ['\xf4\x90\x80\x80', '\udcf4\udc90\udc80\udc80'],
};
for (const [rule, [machine, ordinary]] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    t.equal(fromMachineText(machine), ordinary);
    t.equal(toMachineText(ordinary), machine);
    t.end();
  });
}

t.test('any bytes come back as they were, and well-formed UTF-8 reads as Node reads it', (t) => {
  const random = new Random(5);
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(
      Array.from({ length: random.below(12) }, () =>
        random.of([0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed, 0xff]),
      ),
    );
    const machine = bytes.toString('latin1');
    const text = fromMachineText(machine);
    if (toMachineText(text) !== machine) t.fail(bytes.toString('hex'));
    if (text.isWellFormed() && text !== bytes.toString('utf8')) t.fail(bytes.toString('hex'));
  }
  t.end();
});

t.test('node:fs takes ASCII paths as text and others as bytes', (t) => {
  t.equal(nativePath('/lib/a.ko'), '/lib/a.ko');
  t.same(nativePath('/lib/\xff.ko'), Buffer.from('/lib/\xff.ko', 'latin1'));
  t.end();
});

t.test('a copy has the same text', (t) => {
  t.equal(ownText('pci:v\xff'.slice(2)), 'i:v\xff');
  t.end();
});
