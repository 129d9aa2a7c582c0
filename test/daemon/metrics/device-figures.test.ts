import t from 'tap';
import { DeviceFigures } from '../../../agent/daemon/metrics/device-figures.ts';

function rig(answers: ReadonlyArray<string | Error>) {
  let now = 0;
  let reads = 0;
  const failures: string[] = [];
  const figures = new DeviceFigures({
    read: async () => {
      const answer = answers[Math.min(reads++, answers.length - 1)] ?? '';
      if (answer instanceof Error) throw answer;
      return answer;
    },
    failed: (why) => failures.push(why),
    clock: { now: () => now },
  });
  const first = async (): Promise<string> => (await figures.text()).split('# HELP plugd_devices_read')[0] ?? '';
  return { figures, first, failures, pass: (ms: number) => (now += ms), reads: () => reads };
}

t.test('figures are kept for half a minute', async (t) => {
  const { first, pass, reads } = rig(['a 1\n', 'a 2\n']);
  t.equal(await first(), 'a 1\n');
  pass(29_999);
  t.equal(await first(), 'a 1\n');
  t.equal(reads(), 1);
  pass(1);
  t.equal(await first(), 'a 2\n');
});

t.test('a hundred who ask at once share one reading', async (t) => {
  const { figures, reads } = rig(['a 1\n']);
  const texts = await Promise.all(Array.from({ length: 100 }, async () => figures.text()));
  t.equal(reads(), 1);
  t.ok(texts.every((text) => text.startsWith('a 1\n') && text.endsWith('plugd_devices_read 1\n')));
});

t.test('what could not be read is told once, and old figures are not given for new ones', async (t) => {
  const { figures, failures, pass } = rig(['a 1\n', new Error('no'), new Error('no'), 'a 4\n', new Error('again')]);
  const texts: string[] = [];
  for (let i = 0; i < 5; i++) {
    texts.push(await figures.text());
    pass(30_000);
  }
  t.same(
    texts.map((text) => [text.includes('a '), text.endsWith('plugd_devices_read 1\n')]).map(([, read]) => read),
    [true, false, false, true, false],
  );
  t.notMatch(texts[1], /^a 1/);
  t.same(failures, ['no', 'again']);
});
t.end();
