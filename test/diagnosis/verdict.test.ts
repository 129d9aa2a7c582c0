import t from 'tap';
import { foremost, isServed, VERDICTS, verdictText } from '../../agent/diagnosis/verdict.ts';

t.test('what stands for many', (t) => {
  t.equal(foremost([]), undefined);
  t.equal(
    foremost([{ verdict: 'loaded' }, { verdict: 'would-insert' }, { verdict: 'blacklisted' }])?.verdict,
    'would-insert',
  );
  t.equal(foremost([{ verdict: 'would-insert' }, { verdict: 'failed', cause: 'signature' }])?.verdict, 'failed');
  t.same(VERDICTS.filter(isServed), ['inserted', 'would-insert', 'loaded', 'builtin', 'install-command']);
  t.equal(verdictText({ verdict: 'failed', cause: 'vermagic' }), 'failed (vermagic)');
  t.end();
});

t.test('the first of equals stands for them', (t) => {
  const [first, second] = [{ verdict: 'loaded' } as const, { verdict: 'loaded' } as const];
  t.equal(foremost([first, second]), first);
  t.equal(verdictText({ verdict: 'loaded' }), 'loaded');
  t.end();
});
