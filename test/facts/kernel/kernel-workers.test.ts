import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KernelWorkers } from '../../../agent/facts/kernel/kernel-workers.ts';

const proc = mkdtempSync(join(tmpdir(), 'plugd-workers-'));
t.teardown(() => rmSync(proc, { recursive: true, force: true }));

function put(pid: string, comm: string): void {
  mkdirSync(join(proc, pid), { recursive: true });
  writeFileSync(join(proc, pid, 'comm'), `${comm}\n`);
}

t.test('workers that look for devices at this moment', (t) => {
  put('1', 'systemd');
  put('7', 'kworker/0:1-usb_hub_wq');
  put('8', 'kworker/u4:0+events_unbound');
  put('9', 'kworker/1:2H');
  put('self', 'kworker/0:9+usb_hub_wq');
  const workers = new KernelWorkers(proc);
  t.same(workers.busy(), [], 'idle ones, those of the general queues, and none');
  put('7', 'kworker/0:1+usb_hub_wq');
  put('10', 'kworker/1:0+usb_hub_wq');
  put('11', 'kworker/1:3+nvme-reset-wq');
  t.same(workers.busy().toSorted(), ['nvme-reset-wq', 'usb_hub_wq']);
  put('1', 'kworker/0:1+usb_hub_wq');
  rmSync(join(proc, '10'), { recursive: true });
  put('7', 'kworker/0:1-usb_hub_wq');
  put('11', 'x+usb_hub_wq');
  t.same(workers.busy(), [], 'workers change; what was no worker once is not looked at again');
  t.same(new KernelWorkers(join(proc, 'nowhere')).busy(), []);
  t.end();
});
