import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { keepCost, lastCost } from '../../../../agent/dkms/build/space/build-cost.ts';

t.test("what a module's last build took", async (t) => {
  const dir = t.testdir();
  const trees = { dkmsTree: `${dir}/dkms`, sourceTree: `${dir}/src`, installTree: `${dir}/modules` };
  const last = () => lastCost(trees, { name: 'm', version: '2' });
  const keep = (version: string, release: string, bytes: number, age: number) => {
    const result = `${dir}/dkms/m/${version}/${release}/x86_64`;
    mkdirSync(`${result}/module`, { recursive: true });
    mkdirSync(`${result}/log`);
    keepCost(`${result}/log`, { bytes, seconds: 1 });
    utimesSync(`${result}/log/cost.json`, age, age);
    return `${result}/log/cost.json`;
  };
  t.equal(last(), undefined, 'nothing was built');
  keep('1', '6.0', 100, 10);
  t.same(last(), { bytes: 100, seconds: 1 }, "another version's, where this one has none");
  keep('2', '6.0', 200, 10);
  const newer = keep('2', '6.1', 300, 20);
  t.equal(last()?.bytes, 300, "the latest of this version's");
  writeFileSync(newer, '{"bytes":300,"seconds":2,"memory":4096}');
  t.same(last(), { bytes: 300, seconds: 2, memory: 4096 });
  for (const text of ['', '[]', '{"bytes":"1","seconds":1}', 'null']) {
    writeFileSync(newer, text);
    t.equal(last()?.bytes, 200, `what nobody can read counts nothing: ${text}`);
  }
});
