import t from 'tap';
import { ending } from '../../agent/records/ending.ts';

t.test('an ending has every member, and JSON only those that say something', (t) => {
  const plain = ending('loaded', 'x is loaded');
  t.same(Object.keys(plain).toSorted(), ['cause', 'evidence', 'reason', 'remedy', 'verdict']);
  t.equal(JSON.stringify(plain), '{"verdict":"loaded","reason":"x is loaded","evidence":[]}');
  t.end();
});

t.test('laid over an older ending it leaves nothing of it', (t) => {
  const failed = ending('failed', 'refused', { cause: 'signature', evidence: ['it is unsigned'], remedy: 'sign it' });
  const now = { module: 'm', ...failed, ...ending('inserted', 'm was inserted') };
  t.equal(JSON.stringify(now), '{"module":"m","verdict":"inserted","reason":"m was inserted","evidence":[]}');
  t.end();
});
