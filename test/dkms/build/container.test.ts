import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { isContainer, missingMounts } from '../../../agent/dkms/build/container.ts';

t.test('the marks of containers', async (t) => {
  const home = t.testdir({
    machine: { proc: { 1: { environ: 'PATH=/bin\0HOME=/\0' } } },
    docker: { '.dockerenv': '' },
    podman: { run: { '.containerenv': '' } },
    nspawn: { proc: { 1: { environ: 'PATH=/bin\0container=systemd-nspawn\0' } } },
    empty: { proc: { 1: { environ: 'container=\0' } } },
  });
  for (const name of ['docker', 'podman', 'nspawn']) t.ok(isContainer(`${home}/${name}`), name);
  for (const name of ['machine', 'empty', 'none']) t.notOk(isContainer(`${home}/${name}`), name);
});

t.test("the host's folders that a container lacks", async (t) => {
  const installTree = t.testdir({ '6.1.0-none': {} });
  const missing = (release: string, target?: string) => missingMounts({ installTree, release, target });
  t.same(missing('6.1.0-none'), [], 'the headers are there, or were never installed');
  t.same(missing('6.2.0-none'), [installTree, '/usr/src'], 'no tree');
  t.equal(missing('6.1.0-none', '/usr/src/linux-headers-6.1.0-none')[0], '/usr/src', 'the link leads to /usr/src');
  t.same(missing('6.1.0-none', '/usr/src/kernels/6.1.0-none'), ['/usr/src'], 'as on Fedora');
  t.same(missing('6.1.0-none', '/nix/store/x'), ['/nix/store/x'], 'elsewhere');
  mkdirSync(`${installTree}/6.2.0-none`);
  writeFileSync(`${installTree}/6.2.0-none/modules.dep`, '');
  t.same(missing('6.2.0-none'), []);
});
