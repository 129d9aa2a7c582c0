import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { sameWaiting, type Waiting } from '../../agent/records/waiting.ts';
import { waitingText, waitingTexts } from '../../agent/report/loading-text.ts';

const nvme = 'nvme' as ModuleName;
const rows: ReadonlyArray<readonly [waiting: Waiting, text: string]> = [
  [{ kind: 'queued', module: nvme }, 'nvme (not begun)'],
  [{ kind: 'insertion', module: nvme, ms: 14_060 }, 'nvme (in finit_module for 14.1 s)'],
  [{ kind: 'uevents', count: 3 }, '3 uevents of the kernel'],
  [{ kind: 'bus' }, 'a bus that is still finding devices'],
  [{ kind: 'workers', workers: ['usb_hub_wq', 'x'] }, 'the kernel, which is looking for devices (usb_hub_wq, x)'],
  [{ kind: 'rescan' }, 'a rescan of sysfs'],
  [{ kind: 'reading' }, 'reading sysfs'],
  [{ kind: 'explanation' }, 'the reason of a failure'],
  [{ kind: 'module', module: nvme }, 'nvme (nobody has asked for it)'],
  [{ kind: 'module', module: nvme, why: 'its file is not there' }, 'nvme (its file is not there)'],
  [{ kind: 'device', device: 'eth0', there: false }, 'device eth0 (not there)'],
  [{ kind: 'device', device: 'eth0', there: true }, 'device eth0 (not seen yet)'],
  [{ kind: 'modalias', modalias: 'usb:v1*' }, 'a device with modalias usb:v1* (not there)'],
];
for (const [waiting, text] of rows) {
  t.test(text, (t) => {
    t.equal(waitingText(waiting), text);
    t.end();
  });
}

t.test('several in one line', (t) => {
  t.equal(waitingTexts([]), '');
  t.equal(
    waitingTexts([{ kind: 'queued', module: nvme }, { kind: 'bus' }]),
    'nvme (not begun), a bus that is still finding devices',
  );
  t.end();
});

t.test('time that passes is no news, anything else is', (t) => {
  const inserting = (ms: number, module = nvme): Waiting => ({ kind: 'insertion', module, ms });
  t.equal(sameWaiting([inserting(1)], [inserting(2)]), true);
  t.equal(sameWaiting([inserting(1)], [{ kind: 'queued', module: nvme }]), false);
  t.equal(sameWaiting([inserting(1)], [inserting(1, 'ahci' as ModuleName)]), false);
  t.equal(sameWaiting([{ kind: 'uevents', count: 1 }], [{ kind: 'uevents', count: 2 }]), false);
  t.equal(sameWaiting([], []), true);
  t.end();
});
