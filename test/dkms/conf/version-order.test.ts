import t from 'tap';
import { compareVersions } from '../../../agent/dkms/conf/version-order.ts';

t.test("dkms's order", async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['numbers of one or two digits count as numbers', '1.9', '1.10'],
    ['numbers of three do, too', '6.99', '6.100'],
    ['numbers of four do not', '1000', '999'],
    ['a beginning is older', '6.1', '6.1.0'],
    ['a release is older than its candidate', '6.1.0', '6.1.0-rc1'],
    ['text is compared by its bytes', '1.0A', '1.0a'],
    ['a tilde is newer than anything', '1.0', '1.0~rc1'],
    ['nothing is older than something', '', '0'],
  ];
  for (const [rule, older, newer] of rows) {
    t.equal(compareVersions(older, newer), -1, `${rule}: ${older} < ${newer}`);
    t.equal(compareVersions(newer, older), 1, `${newer} > ${older}`);
    t.equal(compareVersions(newer, newer), 0);
  }
  t.equal(compareVersions('1.02', '1.2'), 0, 'leading zeros do not count');
});
