import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parseUevent, type Uevent } from '../../agent/facts/uevents/uevent.ts';
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

/** Milliseconds until nothing more is expected, and what was said meanwhile. */
async function waited(buses: BackgroundBuses): Promise<{ ms: number; reasons: readonly string[] }> {
  const began = performance.now();
  const reasons = new Set<string>();
  for (let reason = buses.expecting(); reason !== undefined; reason = buses.expecting()) {
    reasons.add(reason);
    await sleep(5);
  }
  return { ms: performance.now() - began, reasons: [...reasons] };
}

const QUIET = 'a bus that is still finding devices';
const BUSY = 'the kernel, which is looking for devices (usb_hub_wq)';

t.test('nothing in the background: no wait', async (t) => {
  worker('-events');
  const buses = new BackgroundBuses(proc);
  t.equal(buses.expecting(), undefined);
  buses.heard(uevent('pci', 'pci:v1'));
  buses.heard(uevent('usb', 'usb:v1ic09isc00', 'remove'));
  t.equal(buses.expecting(), undefined, 'neither other buses nor what goes');
});

t.test('a hub at work when plugd began', async (t) => {
  worker('+usb_hub_wq');
  const buses = new BackgroundBuses(proc);
  setTimeout(() => worker('-usb_hub_wq'), 120);
  const { ms, reasons } = await waited(buses);
  t.same(reasons, [BUSY]);
  t.ok(ms >= 110, `${ms} ms`);
});

t.test('a device at a port: its hub tells whether there are more', async (t) => {
  worker('-usb_hub_wq');
  const buses = new BackgroundBuses(proc);
  buses.heard(uevent('usb', 'usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00'));
  setTimeout(() => worker('+usb_hub_wq'), 20);
  setTimeout(() => worker('-usb_hub_wq'), 200);
  const { ms, reasons } = await waited(buses);
  t.same(reasons, [QUIET, BUSY]);
  t.ok(ms >= 190, `${ms} ms`);
});

for (const [what, one] of Object.entries({
  'a new hub': uevent('usb', 'usb:v1D6Bp0002d0601dc09dsc00dp01ic09isc00ip00in00'),
  'a SCSI host': uevent('scsi_host'),
  'a codec': uevent('hdaudio', 'hdaudio:v1'),
})) {
  t.test(`${what}: a silence, for what only timers know of`, async (t) => {
    worker('-events');
    const buses = new BackgroundBuses(proc);
    buses.heard(one);
    buses.heard(uevent('usb', 'usb:v1ic03isc01'));
    const { ms, reasons } = await waited(buses);
    t.same(reasons, [QUIET]);
    t.ok(ms >= 240, `${ms} ms; a device after it makes it no shorter`);
  });
}

t.test('a hub that is busy for ever is not waited for', async (t) => {
  worker('+usb_hub_wq');
  const buses = new BackgroundBuses(proc);
  const { ms } = await waited(buses);
  t.ok(ms >= 4900, `${ms} ms`);
});
