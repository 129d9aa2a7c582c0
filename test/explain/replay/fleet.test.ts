/** Recordings of several machines against one tree. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replayFleet } from '../../../agent/explain/replay/fleet.ts';
import { Replayer } from '../../../agent/explain/replay/replayed-devices.ts';
import type { Fleet } from '../../../agent/records/replay.ts';
import { replayEnd } from '../../../agent/records/replay.ts';
import { diagnosticsRig, fits, KERNEL } from '../../fixtures/diagnostics-rig.ts';

const GPU = {
  devpath: '/devices/gpu',
  subsystem: 'pci',
  modalias: 'pci:v000010DEd00001234bc03sc00i00',
  driver: 'nouveau',
};
const WIFI = {
  devpath: '/devices/wifi',
  subsystem: 'pci',
  modalias: 'pci:v0000AAAAd00000001bc02sc80i00',
  driver: 'gone',
};
const NET = {
  devpath: '/devices/virtio0',
  subsystem: 'virtio',
  modalias: 'virtio:d00000001v00001AF4',
  driver: 'virtio_net',
  module: 'virtio_net',
};
const text = (...devices: readonly object[]) => devices.map((device) => `${JSON.stringify(device)}\n`).join('');

t.test('a folder of recordings', (t) => {
  const { base, host, run } = diagnosticsRig(t);
  const folder = join(base, 'machines');
  mkdirSync(folder);
  const put = (name: string, content: string) => writeFileSync(join(folder, name), content);
  put('a.jsonl', text({ recording: 1, machine: 'A\u001b[31m' }, GPU, WIFI));
  put('b.jsonl', text({ recording: 1 }, GPU));
  put('c.jsonl', text(WIFI));
  put('d.jsonl', 'this is none \u001b[31m\n');
  put('e.jsonl', '');
  put('f.jsonl', text({ recording: 1, architecture: 's390x' }, GPU));
  put('.hidden', 'no recording');
  const answer = run('test', '--json', '--replay', folder);
  const fleet = JSON.parse(answer.stdout) as Fleet;
  fits(t, 'fleet', fleet);
  t.equal(answer.status, 1);
  t.match(fleet, { kernel: KERNEL, kept: 2, lost: 2, unknown: 0 });
  t.same(
    fleet.machines.map(({ file, lost }) => [file.slice(folder.length + 1), lost]),
    [
      ['a.jsonl', 1],
      ['b.jsonl', 0],
      ['c.jsonl', 1],
    ],
    'one that cannot be read keeps none of the others',
  );
  t.same(
    fleet.unread.map(({ code }) => code),
    ['usage', 'usage', 'usage'],
  );
  t.match(fleet.losses, [{ what: 'Wi-Fi', drivers: ['gone'], machines: [/a\.jsonl$/, /c\.jsonl$/] }]);
  const shown = run('test', '--replay', folder);
  t.match(shown.stdout, /2 of 3 machines lose Wi-Fi \(gone\)/);
  t.match(shown.stdout, /3 recordings could not be\s+judged/);
  t.notMatch(shown.stdout + shown.stderr, /\u001b/, 'no recording writes to the terminal');
  t.notMatch(run('test', '--replay', join(folder, 'd.jsonl')).stderr, /\u001b/);
  t.equal(
    run('test', '-q', '--replay', join(folder, 'b.jsonl'), join(folder, 'd.jsonl')).status,
    3,
    'not judged is not kept',
  );
  t.equal(run('test', '-q', '--replay', join(folder, 'b.jsonl'), '--replay', join(folder, 'b.jsonl')).status, 0);
  const chosen = run('test', '--replay', join(folder, 'a.jsonl'), '--device', 'nouveau');
  t.equal(chosen.status, 0);
  t.match(chosen.stdout, /^1 device had a driver; .* 1 would have it/m);
  t.equal(run('test', '--replay', join(folder, 'a.jsonl'), '--device', 'nothing').status, 64, 'no such device');
  t.equal(run('test', '--device', 'x', 'y').status, 64);
  t.throws(() => replayFleet({ ...host, moduleDir: '/nonexistent' }, [], undefined), { code: 'no-modules-directory' });
  t.end();
});

t.test('firmware that the machine had', (t) => {
  const { host, json, base } = diagnosticsRig(t);
  const file = join(base, 'machine.jsonl');
  const ask = (device: object) => {
    writeFileSync(file, text({ recording: 1 }, device));
    return json('replay', '--replay', file);
  };
  t.match(ask({ ...NET, firmware: ['virtio/none.bin'] }), { kept: 1, withoutFirmware: 0, firmware: [] });
  t.equal(replayEnd(new Replayer(host).file(file)), 'kept');
  rmSync(join(host.root, 'lib/firmware/virtio/none.bin'));
  t.match(ask({ ...NET, firmware: ['virtio/none.bin'] }), {
    kept: 0,
    withoutFirmware: 1,
    devices: [{ fate: 'no-firmware', because: /virtio_net would find none.*virtio\/none\.bin/ }],
  });
  t.match(ask(NET), { kept: 1, firmware: [{ module: 'virtio_net', files: ['virtio/none.bin'] }] }, 'not recorded');
  t.end();
});
