/** Where a recorded driver is, in a made tree without an image of its kernel. */
import { join } from 'node:path';
import t from 'tap';
import type { Devpath, Modalias } from '../../../agent/base/names.ts';
import { openHost } from '../../../agent/base/host.ts';
import { DriverHomes } from '../../../agent/explain/replay/driver-home.ts';
import { findSources } from '../../../agent/load/sources.ts';
import { makeModuleDirectory } from '../../fixtures/made-tree.ts';

const KERNEL = '1.0';
const ROWS: ReadonlyArray<readonly [rule: string, driver: string, kind: string, says: RegExp]> = [
  ['a module of its name', 'e1000e', 'module', /^e1000e$/],
  ['a dash is an underscore', 'virtio-net', 'module', /^virtio_net$/],
  ['listed as built in', 'ehci-hcd', 'kernel', /ehci_hcd is built into the kernel/],
  ['described as a part of the kernel, and no module that was built in', 'bcm2835-power', 'kernel', /bcm2835_power is/],
  ['nowhere', 'gone', 'absent', /this tree has no module gone, nor is it built in/],
];

t.test('homes', (t) => {
  const root = t.testdir({});
  makeModuleDirectory(join(root, 'lib/modules', KERNEL), {
    'kernel/e1000e.ko': { modinfo: ['alias=pci:v1*'] },
    'kernel/virtio_net.ko': {},
    'modules.dep': 'kernel/e1000e.ko:\nkernel/virtio_net.ko:\n',
    'modules.alias': 'alias pci:v1* e1000e\nalias virtio:d1* virtio_net\n',
    'modules.builtin': 'kernel/ehci-hcd.ko\n',
    'modules.builtin.modinfo': 'bcm2835_power.author=A\0bcm2835_power.description=B\0',
  });
  const host = openHost({ root, kernel: KERNEL });
  const sources = findSources(host);
  if (sources.kind === 'no-tree') throw new Error(sources.reason);
  const homes = new DriverHomes(host, sources);
  for (const [rule, driver, kind, says] of ROWS) {
    const modaliases = [`platform:${driver}` as Modalias];
    const none = { driverModule: undefined, name: driver, properties: new Map() };
    const device = { ...none, devpath: '/devices/x' as Devpath, subsystem: 'platform', modaliases, driver };
    const home = homes.find(device, []);
    t.equal(home.kind, kind, rule);
    t.match(home.kind === 'module' ? home.module : home.because, says);
  }
  const port = { driverModule: undefined, name: 'port0', properties: new Map(), modaliases: [], driver: 'e1000e' };
  const at = (subsystem: string) => homes.find({ ...port, devpath: '/devices/y' as Devpath, subsystem }, []).kind;
  t.equal(
    at('pci-port'),
    'module',
    'a bus of which no module lists ids: a driver there comes with a module of its name',
  );
  t.equal(at('virtio'), 'absent', 'a bus of which others list ids');
  t.end();
});
