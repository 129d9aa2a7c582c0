import t from 'tap';
import { certificatesIn } from '../../agent/trust/certificate-search.ts';
import { makeMok } from '../../agent/trust/mok.ts';

const one = makeMok({ commonName: 'One' }).certificateDer;
const two = makeMok({ commonName: 'Two' }).certificateDer;
const subjects = (bytes: Buffer) => certificatesIn(bytes).map(({ subject }) => subject);

const CASES: Readonly<Record<string, readonly [Buffer, readonly string[]]>> = {
  nothing: [Buffer.alloc(0), []],
  'one alone': [one, ['One']],
  'several, in their order, each once': [
    Buffer.concat([Buffer.from('x'), two, one, Buffer.alloc(99), two]),
    ['Two', 'One'],
  ],
  'one that is cut': [one.subarray(0, one.length - 1), []],
  'the bytes that mark one, at the very start': [Buffer.from('a003020102', 'hex'), []],
  'one after what looks like one': [Buffer.concat([Buffer.from('308200093082000aa003020102', 'hex'), one]), ['One']],
};
for (const [rule, [bytes, expected]] of Object.entries(CASES)) {
  t.test(rule, (t) => {
    t.same(subjects(bytes), expected);
    t.end();
  });
}
