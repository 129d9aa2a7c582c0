/** Replays of two made-up machines, one of them with names that mean something to XML and Markdown. */
import type { Devpath, Modalias } from '../../../agent/base/names.ts';
import type { Fate, Replay, ReplayedDevice } from '../../../agent/records/replay.ts';
import type { Replays } from '../../../agent/report/ci/junit.ts';

export const NASTY = `a"<b>&|*_[x](http://e.org)@me\u0001\uFFFE]]>`;

function device(name: string, fate: Fate, rest: Partial<ReplayedDevice> = {}): ReplayedDevice {
  return {
    devpath: `/devices/pci0/${name}` as Devpath,
    subsystem: 'pci',
    name,
    modaliases: ['pci:v1d1' as Modalias],
    driver: 'drv',
    modules: [],
    verdict: fate === 'kept' ? 'would-insert' : 'no-match',
    reason: 'a reason',
    fate,
    ...(fate === 'kept' || fate === 'none' ? {} : { because: `because of ${name}`, remedy: 'a remedy' }),
    ...rest,
  };
}

function machine(file: string, devices: readonly ReplayedDevice[], model?: string): Replay {
  const count = (fate: Fate) => devices.filter((each) => each.fate === fate).length;
  return {
    file,
    ...(model === undefined ? {} : { machine: model }),
    kernel: '6.1.0',
    moduleDir: '/lib/modules/6.1.0',
    kept: count('kept'),
    lost: count('lost'),
    replaced: count('replaced'),
    withoutFirmware: count('no-firmware'),
    unknown: count('unknown'),
    none: count('none'),
    modules: [],
    firmware: [],
    devices,
  };
}

export const REPLAYS: Replays = {
  kernel: '6.1.0',
  machines: [
    machine(
      'lab/one.two.jsonl',
      [device('k', 'kept'), device('l', 'lost'), device('u', 'unknown'), device('n', 'none')],
      'Acme One',
    ),
    machine(NASTY, [
      device(NASTY, 'replaced', {
        driver: NASTY,
        because: NASTY,
        remedy: NASTY,
        subsystem: NASTY,
        modaliases: [NASTY as Modalias],
      }),
      device('f', 'no-firmware'),
    ]),
  ],
  unread: [{ file: 'broken<.jsonl', code: 'usage', message: 'broken<.jsonl:1: not JSON' }],
};
