import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { readReadiness } from '../../../agent/dkms/tree/readiness.ts';

const KERNEL = { release: '6.1.0-1', arch: 'x86_64' };

t.test('how the newest version of each module stands with a kernel', async (t) => {
  const dir = t.testdir();
  const trees = { dkmsTree: `${dir}/dkms`, sourceTree: `${dir}/src`, installTree: `${dir}/modules` };
  const read = () => readReadiness({ trees, root: '', releases: [KERNEL.release, '5.10.0-1'] }, KERNEL);
  const state = () => read().map(({ module, readiness }) => `${module.name}/${module.version} ${readiness}`);
  t.same(read(), [], 'no tree');
  for (const version of ['1.9', '1.10']) {
    mkdirSync(`${dir}/src/demo-${version}`, { recursive: true });
    mkdirSync(`${dir}/dkms/demo/${version}/build`, { recursive: true });
    symlinkSync(`${dir}/src/demo-${version}`, `${dir}/dkms/demo/${version}/source`);
  }
  t.same(state(), ['demo/1.10 no-headers'], 'digits count as numbers');
  mkdirSync(`${dir}/modules/${KERNEL.release}/build/include`, { recursive: true });
  t.same(state(), ['demo/1.10 not-built']);
  writeFileSync(`${dir}/dkms/demo/1.10/build/make.log`, '');
  t.match(read(), [{ readiness: 'failed', log: `${dir}/dkms/demo/1.10/build/make.log`, elsewhere: [] }]);
  const log = (text: string) => writeFileSync(`${dir}/dkms/demo/1.10/build/make.log`, text);
  log('DKMS (dkms-3.4.3) make.log for demo/1.10 for kernel 5.10.0-1 (x86_64)\n/x.c:3:1: error: no\n');
  t.same(state(), ['demo/1.10 not-built'], 'the build for another kernel failed');
  log(
    `DKMS make.log for demo-1.10 for kernel ${KERNEL.release} (x86_64)\n${dir}/dkms/demo/1.10/build/a.c:3:1: error: implicit declaration of function 'from_timer'\n`,
  );
  t.match(read(), [
    { readiness: 'failed', failure: { class: 'api-change', place: { file: 'a.c', line: 3 }, subject: 'from_timer' } },
  ]);
  mkdirSync(`${dir}/dkms/demo/1.10/5.10.0-1/x86_64/module`, { recursive: true });
  symlinkSync('1.10/5.10.0-1/x86_64', `${dir}/dkms/demo/kernel-5.10.0-1-x86_64`);
  t.match(read(), [{ elsewhere: ['5.10.0-1'] }], 'another kernel has it');
  mkdirSync(`${dir}/dkms/demo/1.10/${KERNEL.release}/x86_64/module`, { recursive: true });
  t.same(state(), ['demo/1.10 built']);
  mkdirSync(`${dir}/dkms/demo/1.9/${KERNEL.release}/x86_64/module`, { recursive: true });
  const link = `${dir}/dkms/demo/kernel-${KERNEL.release}-x86_64`;
  symlinkSync(`1.9/${KERNEL.release}/x86_64`, link);
  t.same(state(), ['demo/1.10 older']);
  rmSync(link);
  symlinkSync(`1.10/${KERNEL.release}/x86_64`, link);
  t.same(state(), ['demo/1.10 installed']);
  t.match(read(), [{ modules: ['demo'] }], "the package's name, where nothing else gives one");
  rmSync(`${dir}/src/demo-1.10`, { recursive: true });
  t.same(state(), ['demo/1.10 broken'], 'without its sources');
});

t.test("another root's links lead inside it", async (t) => {
  const root = t.testdir();
  const trees = { dkmsTree: `${root}/dkms`, sourceTree: `${root}/src`, installTree: `${root}/modules` };
  for (const folder of ['src/demo-1', 'headers/include', 'dkms/demo/1', `modules/${KERNEL.release}`])
    mkdirSync(`${root}/${folder}`, { recursive: true });
  symlinkSync('/src/demo-1', `${root}/dkms/demo/1/source`);
  const state = () => readReadiness({ trees, root, releases: [] }, KERNEL)[0]?.readiness;
  t.equal(state(), 'no-headers');
  symlinkSync('/headers', `${root}/modules/${KERNEL.release}/build`);
  t.equal(state(), 'not-built');
  rmSync(`${root}/src`, { recursive: true });
  t.equal(state(), 'broken');
});
