import t from 'tap';
import { canBeDependency, inOneLine, whyNotInLine, whyNotListed } from '../../agent/depmod/line-text.ts';

t.test('text that would end or join a line cannot stand in one', (t) => {
  for (const [text, why] of [
    ['pci:v0000*', undefined],
    ['with blanks  in it ', undefined],
    ['', undefined],
    ['x\nalias evil y', 'a line break'],
    ['x\n', 'a line break'],
    ['pre: a\\', 'a backslash at its end'],
    ['pre: a\\b', undefined],
  ] as const) {
    t.equal(whyNotInLine(text), why, inOneLine(text));
  }
  t.equal(whyNotInLine('x\\', false), undefined, 'a backslash with more behind it in the line');
  t.equal(whyNotInLine('x\n', false), 'a line break');
  t.end();
});

t.test('paths in modules.dep', (t) => {
  t.equal(whyNotListed('kernel/lib/crc16.ko.xz'), undefined);
  t.equal(whyNotListed('kernel/a b.ko'), undefined);
  t.equal(whyNotListed('kernel/a:b.ko'), 'a colon');
  t.equal(whyNotListed('kernel/a\nb.ko'), 'a line break');
  t.equal(canBeDependency('kernel/a.ko'), true);
  t.equal(canBeDependency('kernel/a b.ko'), false);
  t.equal(canBeDependency('kernel/a\tb.ko'), false);
  t.end();
});
