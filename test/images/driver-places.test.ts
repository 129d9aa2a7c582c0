import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Devpath, Modalias } from '../../agent/base/names.ts';
import type { BoundDevice } from '../../agent/facts/devices/bound-device.ts';
import { DriverPlaces } from '../../agent/images/driver-places.ts';
import { diagnosticsRig, KERNEL } from '../fixtures/diagnostics-rig.ts';

const device = (driver: string, modalias: string, subsystem = 'platform'): BoundDevice => ({
  devpath: `/devices/${driver}` as Devpath,
  subsystem,
  driver,
  driverModule: undefined,
  name: driver,
  properties: new Map(),
  modaliases: [modalias as Modalias],
});
/** In a module, by its MODALIAS. */
const LISTED = device('virtio_net', 'virtio:d00000001v00001AF4', 'virtio');
/** Only the kernel's strings have it. */
const INSIDE = device('made-up-timer', 'acpi:MADE0001:', 'acpi');
const machine = (...devices: readonly BoundDevice[]) => [{ name: 'one', devices, ranOn: undefined }];

/** The rig with a kernel, and a way to take that away: what is asked of it later was read before. */
function rigWithKernel(t: Test) {
  const rig = diagnosticsRig(t);
  const file = join(rig.host.root, 'boot', `vmlinuz-${KERNEL}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'Kernel panic - not syncing\0made-up-timer\0');
  return { places: new DriverPlaces(rig.host), forget: () => rmSync(file) };
}

t.test('a driver that no list names: the kernel is read ahead', async (t) => {
  const { places, forget } = rigWithKernel(t);
  places.expect(machine(LISTED, INSIDE));
  forget();
  await places.ready();
  t.equal(places.place(INSIDE, undefined)?.home.kind, 'kernel');
  t.equal(places.place(LISTED, undefined)?.module, 'virtio_net');
});

t.test('without such a driver it is not read', async (t) => {
  const { places, forget } = rigWithKernel(t);
  places.expect(machine(LISTED));
  forget();
  await places.ready();
  t.equal(places.place(INSIDE, undefined)?.home.kind, 'absent');
});

t.test('who did not expect it reads it when it is asked for', async (t) => {
  const { places } = rigWithKernel(t);
  await places.ready();
  t.equal(places.place(INSIDE, undefined)?.home.kind, 'kernel');
});

t.test('looking ahead changes no answer', async (t) => {
  const { places } = rigWithKernel(t);
  const { places: other } = rigWithKernel(t);
  places.expect(machine(LISTED, INSIDE));
  await places.ready();
  for (const each of [LISTED, INSIDE]) {
    const [{ home, module, names }, expected] = [
      places.place(each, undefined) ?? {},
      other.place(each, undefined),
    ] as const;
    t.same(
      { kind: home?.kind, module, names },
      { kind: expected?.home.kind, module: expected?.module, names: expected?.names },
    );
  }
  t.ok(places.isWanted('virtio' as never), 'what a driver needs is wanted with it');
});
