import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording, recordingFiles } from '../../../agent/facts/devices/recording-file.ts';

t.test('the recordings of a word', (t) => {
  const folder = t.testdir({ 'b.jsonl': '', 'a.txt': '', '.hidden': '', deeper: {}, none: {} });
  t.same(recordingFiles(folder), [join(folder, 'a.txt'), join(folder, 'b.jsonl')], 'of a folder, all in order');
  t.same(recordingFiles('-'), ['-']);
  t.same(recordingFiles(join(folder, 'absent')), [join(folder, 'absent')], 'reading tells that it is not there');
  t.throws(() => recordingFiles(join(folder, 'none')), { code: 'unreadable', message: /holds no recording/ });
  t.end();
});

t.test('reading one', (t) => {
  const folder = t.testdir({ empty: '\n', header: '{"recording":1}\n', good: '{"devpath":"/a"}' });
  const file = (name: string) => join(folder, name);
  t.equal(readRecording(file('good')).devices.length, 1);
  for (const name of ['empty', 'header'])
    t.throws(() => readRecording(file(name)), { code: 'usage', message: `${file(name)}: no device is in it` }, name);
  t.throws(() => readRecording(file('absent')), { code: 'unreadable', message: /absent: no such file/ });
  t.throws(() => readRecording(folder), { code: 'unreadable', message: /is a directory/ });
  execFileSync('truncate', ['-s', '300M', file('sparse')]);
  t.throws(() => readRecording(file('sparse')), { code: 'usage', message: /larger than 128 MiB/ });
  mkdirSync(file('d'));
  writeFileSync(file('d/x'), '{"devpath": 1}');
  t.throws(() => readRecording(file('d/x')), { code: 'usage', message: /d\/x:1: 'devpath' is not a string/ });
  t.end();
});
