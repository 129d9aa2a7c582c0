import t from 'tap';
import { markdown, markdownText } from '../../../agent/report/ci/markdown.ts';
import { REPLAYS } from './replays.ts';

const texts: Readonly<Record<string, readonly [text: string, markdown: string]>> = {
  'plain text': ['e1000e (a=1)', 'e1000e (a=1)'],
  'the bounds of a table': ['a|b', String.raw`a\|b`],
  emphasis: ['snd_hda_intel *x*', String.raw`snd\_hda\_intel \*x\*`],
  HTML: ['<script>&amp;', '&lt;script&gt;&amp;amp;'],
  'a link': ['[x](http://e.org)', String.raw`\[x\](http&#58;//e.org)`],
  'a bare link': ['www.e.org', 'www&#46;e.org'],
  'a mention': ['@somebody', '&#64;somebody'],
  code: ['`x`', '\\`x\\`'],
  'a line end': ['a\nb', String.raw`a\\x0ab`],
};
t.test('text stays text', (t) => {
  for (const [name, [text, expected]] of Object.entries(texts)) t.equal(markdownText(text), expected, name);
  t.end();
});

t.test('the summary', (t) => {
  const text = markdown(REPLAYS);
  t.match(
    text,
    /^## plugd: 3 devices would lose what they had\n\n2 machines with Linux 6\.1\.0: 1 of 5 devices would have their driver, 1 cannot be told\.\n/,
  );
  t.match(text, '| ❌ lost | Acme One | pci l | drv | because of l | a remedy |');
  t.match(text, '| ❔ cannot be told | Acme One | pci u | drv | because of u | a remedy |');
  t.match(text, '| Acme One | 1 | 1 | 0 | 0 | 1 |');
  t.match(text, '❌ Not read: broken&lt;.jsonl:1: not JSON');
  const cells = (line: string) => line.replaceAll(/\\./g, '').split('|').length - 2;
  for (const line of text.split('\n').filter((each) => each.startsWith('|'))) t.equal(cells(line), 6, line);
  const calm = markdown({
    ...REPLAYS,
    machines: [{ ...(REPLAYS.machines[0] as never as object), lost: 0, unknown: 0, devices: [] } as never],
    unread: [],
  });
  t.match(
    calm,
    /^## plugd: no device loses what it had\n\n1 machine with Linux 6\.1\.0: 1 of 1 device would have their driver\.\n$/,
  );
  t.end();
});
