import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseUevent, type Uevent } from '../../agent/facts/uevents/uevent.ts';
import { waitingText } from '../../agent/report/loading-text.ts';
import { BackgroundBuses } from '../../agent/load/background-buses.ts';

const proc = mkdtempSync(join(tmpdir(), 'plugd-buses-'));
t.teardown(() => rmSync(proc, { recursive: true, force: true }));

/** What the one worker of this machine does: `+usb_hub_wq`. */
function worker(work: string): void {
  mkdirSync(join(proc, '7'), { recursive: true });
  writeFileSync(join(proc, '7/comm'), `kworker/0:1${work}\n`);
}

function uevent(subsystem: string, modalias = '', action = 'add'): Uevent {
  const pairs = [
    `ACTION=${action}`,
    'DEVPATH=/devices/x',
    `SUBSYSTEM=${subsystem}`,
    `MODALIAS=${modalias}`,
    'SEQNUM=1',
  ];
  const read = parseUevent(Buffer.from(`${action}@/devices/x\0${pairs.map((pair) => `${pair}\0`).join('')}`));
  if (read.kind !== 'uevent') throw new Error(read.kind);
  return read.uevent;
}

/** A clock that the test moves; `at` does things when it comes to a time. */
function clock() {
  const events: Array<readonly [ms: number, work: () => void]> = [];
  const time = { ms: 1000 };
  const began = time.ms;
  return {
    now: () => time.ms,
    at: (ms: number, work: () => void) => events.push([began + ms, work]),
    /** Milliseconds until nothing more is expected, and what was said meanwhile. */
    waited: (buses: BackgroundBuses): { ms: number; reasons: readonly string[] } => {
      const reasons = new Set<string>();
      for (let reason = buses.expecting(); reason !== undefined; reason = buses.expecting()) {
        reasons.add(waitingText(reason));
        time.ms += 5;
        while (events[0] !== undefined && events[0][0] <= time.ms) events.shift()?.[1]();
      }
      return { ms: time.ms - began, reasons: [...reasons] };
    },
  };
}

const QUIET = 'a bus that is still finding devices';
const BUSY = 'the kernel, which is looking for devices (usb_hub_wq)';

t.test('nothing in the background: no wait', (t) => {
  worker('-events');
  const buses = new BackgroundBuses(proc, clock().now);
  t.equal(buses.expecting(), undefined);
  buses.heard(uevent('pci', 'pci:v1'));
  buses.heard(uevent('usb', 'usb:v1ic09isc00', 'remove'));
  t.equal(buses.expecting(), undefined, 'neither other buses nor what goes');
  t.end();
});

t.test('a hub at work when plugd began', (t) => {
  worker('+usb_hub_wq');
  const { now, at, waited } = clock();
  const buses = new BackgroundBuses(proc, now);
  at(120, () => worker('-usb_hub_wq'));
  const { ms, reasons } = waited(buses);
  t.same(reasons, [BUSY]);
  t.ok(ms >= 120 && ms <= 165, `${ms} ms: the workers are looked at every 40 ms`);
  t.end();
});

t.test('a device at a port: its hub tells whether there are more', (t) => {
  worker('-usb_hub_wq');
  const { now, at, waited } = clock();
  const buses = new BackgroundBuses(proc, now);
  buses.heard(uevent('usb', 'usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00'));
  at(20, () => worker('+usb_hub_wq'));
  at(200, () => worker('-usb_hub_wq'));
  const { ms, reasons } = waited(buses);
  t.same(reasons, [QUIET, BUSY]);
  t.ok(ms >= 200 && ms <= 245, `${ms} ms`);
  t.end();
});

for (const [what, one] of Object.entries({
  'a new hub': uevent('usb', 'usb:v1D6Bp0002d0601dc09dsc00dp01ic09isc00ip00in00'),
  'a SCSI host': uevent('scsi_host'),
  'a codec': uevent('hdaudio', 'hdaudio:v1'),
})) {
  t.test(`${what}: a silence, for what only timers know of`, (t) => {
    worker('-events');
    const { now, waited } = clock();
    const buses = new BackgroundBuses(proc, now);
    buses.heard(one);
    buses.heard(uevent('usb', 'usb:v1ic03isc01'));
    t.same(waited(buses), { ms: 250, reasons: [QUIET] }, 'a device after it makes it no shorter');
    t.end();
  });
}

t.test('waiting for a hub that is always busy has a limit', (t) => {
  worker('+usb_hub_wq');
  const { now, waited } = clock();
  t.same(waited(new BackgroundBuses(proc, now)), { ms: 5000, reasons: [BUSY] });
  t.end();
});
