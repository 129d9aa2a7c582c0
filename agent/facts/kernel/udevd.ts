/** Whether udevd runs. Reads /run and /proc only. */
import { existsSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import { readAttribute, readNames } from '../attribute.ts';

/** Whether an udev daemon runs: its control socket is there, or a process of its name. */
export function udevdRuns(host: Host): boolean {
  if (host.root !== '') return false;
  if (existsSync('/run/udev/control')) return true;
  return readNames(host.proc).some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const comm = readAttribute(`${host.proc}/${name}/comm`) ?? '';
    return comm === 'systemd-udevd' || comm === '(udev-worker)' || comm === 'udevd' || comm === 'eudev';
  });
}
