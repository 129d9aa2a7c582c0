import { execFileSync } from 'node:child_process';
import t from 'tap';
import { hashPassword, parsePasswordHash } from '../../../agent/trust/enrolment/sha512-crypt.ts';
import { needCommands } from '../../fixtures/commands.ts';

t.test("the specification's own example", (t) => {
  const made = hashPassword(Buffer.from('Hello world!'), Buffer.from('saltstringsaltst'), 10_000);
  const text =
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.';
  t.same(parsePasswordHash(text), made);
  t.end();
});

const openssl = await needCommands(['openssl']);
t.test('openssl makes the same', { skip: openssl.kind === 'missing' && openssl.sentence }, (t) => {
  for (const password of ['a', 'geheim', 'x'.repeat(64), 'ß-'.repeat(40), 'y'.repeat(129)]) {
    for (const salt of ['a', '12345678', '0123456789abcdef']) {
      const text = execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], {
        input: `${password}\n`,
        encoding: 'utf8',
      });
      t.same(parsePasswordHash(text.trim()), hashPassword(Buffer.from(password), Buffer.from(salt)), password);
    }
  }
  t.end();
});

t.test('what is no such hash', (t) => {
  for (const text of [
    '',
    'x',
    '$5$salt$abc',
    '$6$salt$abc',
    `$6$${'s'.repeat(17)}$${'a'.repeat(86)}`,
    `$1$a$${'a'.repeat(86)}`,
  ])
    t.equal(parsePasswordHash(text), undefined, text);
  t.end();
});
