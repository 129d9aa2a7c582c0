import { readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mokFiles, writeMok, type MokPlaces } from '../../agent/trust/mok-files.ts';
import { readSigningKey } from '../../agent/trust/signing-key.ts';

const placesIn = (folder: string): MokPlaces => ({
  key: join(folder, 'a/mok.key'),
  certificate: join(folder, 'b/mok.pub'),
});

t.test('a pair that fits, with its folders and modes, and nothing else', (t) => {
  const folder = t.testdir({});
  const places = placesIn(folder);
  const umask = process.umask(0o077);
  t.same(writeMok(places, { commonName: 'A Key' }), { kind: 'made' });
  process.umask(umask);
  t.match(readSigningKey(places), { kind: 'key', certificate: { subject: 'A Key' } });
  t.equal(statSync(places.key).mode & 0o7777, 0o600);
  t.equal(statSync(places.certificate).mode & 0o7777, 0o644);
  t.same(readdirSync(join(folder, 'a')), ['mok.key']);
  t.same(readdirSync(join(folder, 'b')), ['mok.pub']);
  const key = readFileSync(places.key);
  t.same(writeMok(places), { kind: 'there' }, 'a second call keeps it');
  t.same(readFileSync(places.key), key);
  t.equal(mokFiles(places), 'both');
  t.end();
});

for (const there of ['key', 'certificate'] as const) {
  t.test(`a ${there} alone is kept, and nothing is made`, (t) => {
    const folder = t.testdir({ a: {}, b: {} });
    const places = placesIn(folder);
    writeFileSync(places[there], 'mine');
    const missing = places[there === 'key' ? 'certificate' : 'key'];
    t.match(writeMok(places), { kind: 'half', there: places[there], missing });
    t.equal(readFileSync(places[there], 'utf8'), 'mine');
    t.same([...readdirSync(join(folder, 'a')), ...readdirSync(join(folder, 'b'))].length, 1);
    t.end();
  });
}

t.test('a link to nothing is a file, too', (t) => {
  const folder = t.testdir({ a: {}, b: {} });
  const places = placesIn(folder);
  symlinkSync('/nowhere', places.key);
  t.match(writeMok(places), { kind: 'half', there: places.key });
  t.end();
});

t.test('a place that cannot be written', (t) => {
  const folder = t.testdir({ b: '' });
  const places = placesIn(folder);
  t.match(writeMok(places), { kind: 'failed', why: /could not write .*mok\.key/ });
  t.same(readdirSync(join(folder, 'a')), [], 'no key is left behind');
  t.end();
});
