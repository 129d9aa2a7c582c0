import t from 'tap';
import type { Devpath, Modalias, ModuleName } from '../../agent/base/names.ts';
import type { Replay, ReplayedDevice } from '../../agent/records/replay.ts';
import { replayText } from '../../agent/report/replay-text.ts';

const PLAIN = { colour: false, width: 80 };

function lost(name: string, because: string, rest: Partial<ReplayedDevice> = {}): ReplayedDevice {
  return {
    devpath: `/devices/${name}` as Devpath,
    name,
    subsystem: 'pci_express',
    driver: 'pcie_bwctrl',
    verdict: 'no-match',
    reason: '',
    modaliases: ['pci:v1' as Modalias],
    modules: [],
    fate: 'lost',
    because,
    remedy: 'add the package that has it to the image',
    ...rest,
  };
}

const WHY = 'this tree has no module pcie_bwctrl, nor is it built in, and nothing else of this name is known';
const REPLAY: Replay = {
  file: 'dgx.jsonl',
  kernel: '6.1.0-1-amd64',
  moduleDir: '/lib/modules/6.1.0-1-amd64',
  devices: [lost('a:pcie', WHY), lost('b:pcie', 'another reason'), lost('c:pcie', WHY)],
  firmware: [{ module: 'r8169' as ModuleName, files: ['rtl_nic/rtl8125b-2.fw', 'x'] }],
  kept: 4,
  lost: 3,
  replaced: 0,
  withoutFirmware: 0,
  unknown: 0,
  none: 1,
} as unknown as Replay;

t.test('devices that are lost alike stand together; the reasons are indented behind their labels', (t) => {
  t.equal(
    replayText(REPLAY, PLAIN, false),
    `LOST    pci_express a:pcie and 1 more, which pcie_bwctrl drove: no-match
        because this tree has no module pcie_bwctrl, nor is it built in, and
                nothing else of this name is known
        remedy  add the package that has it to the image
LOST    pci_express b:pcie, which pcie_bwctrl drove: no-match
        pci:v1
        because another reason
        remedy  add the package that has it to the image
        note    1 module would find none of the firmware that it names, and the
                recording says nothing of it: r8169 (rtl_nic/rtl8125b-2.fw, …)
7 devices had a driver; with 6.1.0-1-amd64 4 would have it, 3 would not. 1
device had none.
`,
  );
  t.end();
});

t.test('-v shows each device', (t) => {
  const lines = replayText(REPLAY, PLAIN, true).split('\n');
  t.equal(lines.filter((line) => line.startsWith('LOST')).length, 3);
  t.equal(lines.filter((line) => line.trim() === 'pci:v1').length, 3);
  t.end();
});
