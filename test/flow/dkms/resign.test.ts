/** `dkms resign`: a new key for what is built and installed, compressed or not. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { contents, KERNEL, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'gzip', 'xz']);
t.setTimeout(1_200_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;

const BUILT = `var/lib/dkms/demo/1.0/${KERNEL}/x86_64/module/demo.ko`;
const INSTALLED = `lib/modules/${KERNEL}/updates/dkms/demo.ko`;

for (const [suffix, unpack] of [
  ['', 'cat'],
  ['.gz', 'zcat'],
  ['.xz', 'xzcat'],
] as const) {
  t.test(`modules${suffix}`, { skip }, async (t) => {
    const { dir, run, source } = system(t);
    writeFileSync(`${dir}/lib/modules/${KERNEL}/build/.config`, 'CONFIG_MODULE_SIG_HASH="sha256"\n');
    writeFileSync(`${dir}/etc/dkms/framework.conf`, 'try_sign_modules="true"\n');
    if (suffix !== '') writeFileSync(`${dir}/lib/modules/${KERNEL}/kernel/other.ko${suffix}`, '');
    const plain = (path: string) => spawnSync(unpack, [`${dir}/${path}${suffix}`]).stdout;
    t.equal(run('install', source('demo', '1.0'), '-k', KERNEL).status, 0);
    const [first, before] = [plain(BUILT), contents(`${dir}/lib/modules`)];
    t.ok(first.includes('~Module signature appended~'));
    const again = run('resign');
    t.match(again.out, /^0 signed, 2 had this signature already, 0 could not be signed\.$/m);
    t.same(contents(`${dir}/lib/modules`), before, 'nothing was written');
    for (const name of ['key', 'pub']) rmSync(`${dir}/var/lib/dkms/mok.${name}`);
    const ended = run('resign', 'demo/1.0', '-k', KERNEL);
    t.equal(ended.status, 0, ended.error);
    t.match(ended.out, /^2 signed, 0 had this signature already, 0 could not be signed\.$/m);
    t.not(plain(BUILT).equals(first), 'the key is another');
    t.ok(plain(BUILT).equals(plain(INSTALLED)), 'built and installed are one');
    t.equal(plain(BUILT).toString('latin1').split('~Module signature appended~').length, 2, 'there is one signature');
    t.equal(lstatSync(`${dir}/${INSTALLED}${suffix}`).mode & 0o777, 0o644);
    t.notMatch(run('status').out, /Differences/);
    t.equal(run('resign', 'stranger/1.0').status, 3);
    writeFileSync(`${dir}/var/lib/dkms/mok.key`, 'no key');
    const bad = run('resign');
    t.equal(bad.status, 1);
    t.match(bad.error, /could not be signed: /);
    t.ok(plain(BUILT).equals(plain(INSTALLED)), 'and stays as it was');
    t.ok(readFileSync(`${dir}/${BUILT}${suffix}`).length > 0);
  });
}
