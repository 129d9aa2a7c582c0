/** Machines where plugd cannot load anything: one clear sentence that says why and what to do, and status 1. */
import t from 'tap';
import { machineImage, type Image } from './machine/image.ts';
import { boot } from './machine/machine.ts';

t.setTimeout(1_200_000);
const found = await machineImage({
  modules: [
    'virtio_pci',
    'virtio_pci_legacy_dev',
    'virtio_pci_modern_dev',
    'virtio_ring',
    'virtio',
    'virtio-rng',
    'rng-core',
  ],
});

t.test('what keeps plugd from loading', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const image = found as Image;
  const machine = await boot(image, {
    devices: ['-device', 'virtio-rng-pci'],
  });
  t.teardown(async () => machine.stop());
  const tree = `/lib/modules/${image.tree.kernel}`;

  /** Runs a line that ends in plugd's coldplug; nothing may be loaded, and the complaint must be short and match. */
  const refused = async (why: string, line: string, wanted: RegExp) =>
    t.test(why, async (t) => {
      const ended = await machine.shell(line);
      t.equal(ended.status, 1, ended.stderr);
      t.match(ended.stderr, wanted);
      t.equal(ended.stdout, '', 'nothing on standard output');
      t.ok(ended.stderr.trim().split('\n').length <= 2, 'a sentence and what to do');
      t.notMatch(ended.stderr, / {4}at /, 'no stack');
      t.same(await machine.modules(), [], 'nothing was loaded');
    });

  await refused('no root', 'setpriv --reuid 1000 --regid 1000 --clear-groups plugd coldplug', /root/);
  await refused(
    'no CAP_SYS_MODULE',
    'setpriv --bounding-set=-sys_module --inh-caps=-sys_module plugd coldplug',
    /CAP_SYS_MODULE/,
  );
  await refused('a user namespace', 'unshare --user --map-root-user plugd coldplug', /namespace|CAP_SYS_MODULE/);
  await refused(
    'no module tree',
    `mv ${tree} ${tree}.away; plugd coldplug; s=$?; mv ${tree}.away ${tree}; exit $s`,
    /modules/,
  );

  await t.test('a dry run needs no root', async (t) => {
    const ended = await machine.shell('setpriv --reuid 1000 --regid 1000 --clear-groups plugd coldplug -n');
    t.equal(ended.status, 0, ended.stderr);
    t.match(ended.stdout, /virtio_pci/);
    t.same(await machine.modules(), []);
  });

  await t.test('a user blacklist keeps one module out and says where', async (t) => {
    await machine.output('sh', ['-c', 'echo "blacklist virtio_pci" > /etc/modprobe.d/no.conf']);
    const ended = await machine.run('plugd', ['coldplug']);
    t.equal(ended.status, 0, ended.stderr);
    t.match(ended.stdout, /virtio_pci[^]*no\.conf:1/);
    t.notOk((await machine.modules()).includes('virtio_pci'));
    await machine.output('rm', ['/etc/modprobe.d/no.conf']);
  });

  await t.test('modules_disabled', async (t) => {
    const before = await machine.modules();
    await machine.output('sh', ['-c', 'echo 1 > /proc/sys/kernel/modules_disabled']);
    const ended = await machine.run('plugd', ['coldplug']);
    t.equal(ended.status, 1, ended.stderr);
    t.match(ended.stderr, /modules_disabled/);
    t.same(await machine.modules(), before);
  });
});
