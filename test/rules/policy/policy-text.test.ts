import t from 'tap';
import { parsePolicy } from '../../../agent/rules/policy/policy-text.ts';

const FILE = '/etc/plugd/policy.conf';

const malformed: Record<string, { text: string; at: readonly [line: number, column: number]; says: RegExp }> = {
  'an unknown word': { text: 'alow module=x', at: [1, 1], says: /not 'alow'/ },
  'an unknown key': { text: 'default allow\n deny driver=x', at: [2, 7], says: /not 'driver=x'/ },
  'a key without a glob': { text: 'deny module', at: [1, 12], says: /module=GLOB/ },
  'an empty glob': { text: 'deny module=', at: [1, 13], says: /needs a glob/ },
  'a glob longer than any that is matched': {
    text: `deny module=${'a'.repeat(4096)}*`,
    at: [1, 13],
    says: /a glob of 4097 characters/,
  },
  'an empty quoted glob': { text: 'deny module=""', at: [1, 13], says: /needs a glob/ },
  'no condition': { text: 'deny', at: [1, 5], says: /default deny/ },
  'no condition but a comment': { text: 'allow # all', at: [1, 6], says: /default allow/ },
  'after without boot': { text: 'after deny module=x', at: [1, 7], says: /'boot'/ },
  'after at the end': { text: 'after', at: [1, 6], says: /'boot'/ },
  'after boot at the end': { text: 'after boot', at: [1, 11], says: /'allow'/ },
  'default without a word': { text: 'default', at: [1, 8], says: /default allow/ },
  'default with another word': { text: 'default maybe', at: [1, 9], says: /default allow/ },
  'default with more': { text: 'default deny module=x', at: [1, 14], says: /nothing may follow/ },
  'two defaults': { text: 'default deny\ndefault allow', at: [2, 1], says: /line 1/ },
  'an open quote': { text: 'deny modalias="x y', at: [1, 15], says: /never closed/ },
  'something behind a quote': { text: 'deny modalias="x"y', at: [1, 18], says: /blank/ },
  'a quote inside': { text: 'deny modalias=x"y"', at: [1, 16], says: /quote/ },
  'a bracket without partner': { text: 'deny modalias=x[0-9', at: [1, 15], says: /brackets/ },
};
for (const [name, { text, at, says }] of Object.entries(malformed)) {
  t.test(`malformed: ${name}`, (t) => {
    const read = parsePolicy({ file: FILE, text });
    if (read.kind === 'policy') throw new Error('it was accepted');
    t.equal(read.problems.length, 1);
    t.match(read.problems[0], { file: FILE, line: at[0], column: at[1], code: 'malformed', message: says });
    t.end();
  });
}

t.test('all bad lines of a file are reported at once', (t) => {
  const read = parsePolicy({ file: FILE, text: 'x\nallow module=a\ny\r\ndeny module=b\r\nz' });
  t.match(read, { kind: 'malformed', problems: [{ line: 1 }, { line: 3 }, { line: 5 }] });
  t.end();
});

t.test('every truncation of a policy is a policy or malformed with a place inside the text', (t) => {
  const text = 'after boot deny subsystem=usb modalias="usb:v0 \\" #" # c\ndefault deny\nallow device=/devices/[a-f]*';
  for (let length = 0; length <= text.length; length++) {
    const part = text.slice(0, length);
    const read = parsePolicy({ file: FILE, text: part });
    if (read.kind === 'policy') continue;
    for (const { line, column } of read.problems) {
      const limit = (part.split('\n')[line - 1] ?? '').length + 1;
      if (column < 1 || column > limit) t.fail(`length ${length}: line ${line} column ${column} of ${limit}`);
    }
  }
  t.equal(parsePolicy({ file: FILE, text }).kind, 'policy', 'the whole of it is one');
  t.end();
});
