import t from 'tap';
import { KeyValues } from '../../../agent/facts/uevents/key-values.ts';

const TEXTS = [
  '',
  'A=1',
  'A=1\n',
  'A=1\nB=2\nA=3\n',
  'MODALIAS=a\nMODALIAS=\nMODALIAS=b\nMODALIAS=a\n',
  'OF_MODALIAS=x\nMODALIAS=y=z\n',
  '=odd\nnothing\nA=\n',
];

t.test('a search finds what taking the text apart finds', (t) => {
  for (const newlines of TEXTS) {
    for (const end of ['\n', '\0'] as const) {
      const text = newlines.replaceAll('\n', end);
      const split = new Map<string, string>();
      const modaliases = new Set<string>();
      for (const string of text.split(end)) {
        const equals = string.indexOf('=');
        if (equals <= 0) continue;
        split.set(string.slice(0, equals), string.slice(equals + 1));
        if (string.startsWith('MODALIAS=') && string !== 'MODALIAS=') modaliases.add(string.slice(equals + 1));
      }
      const values = new KeyValues(text, end);
      t.same([...values], [...split], JSON.stringify(text));
      t.same(values.modaliases, [...modaliases]);
      for (const key of ['A', 'B', 'MODALIAS', 'OF_MODALIAS', 'ALIAS', 'a', 'nothing', 'odd'])
        t.equal(values.get(key), split.get(key), key);
    }
  }
  t.end();
});
