/** Records of a made-up run, for the reports on it. */
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import type { ModuleRecord } from '../../agent/records/coldplug-run.ts';

export const name = (text: string) => text as ModuleName;
export const pci = { devpath: '/devices/pci0000:00/0000:00:02.0' as Devpath, subsystem: 'pci', name: 'pci:v1' };
export const virtio = {
  devpath: '/devices/pci0000:00/0000:00:02.0/virtio0' as Devpath,
  subsystem: 'virtio',
  name: 'virtio:d1',
};

/** A module that was inserted from `from` to `to`, ms; `rest` replaces members. */
export function record(module: string, from: number, to: number, rest: Partial<ModuleRecord> = {}): ModuleRecord {
  return {
    module: name(module),
    path: `/lib/modules/6.1/${module}.ko`,
    params: '',
    why: 'target',
    requester: pci,
    result: 'inserted',
    waitedFor: [],
    addedMs: from - 5,
    readyMs: from - 2,
    startedMs: from,
    endedMs: to,
    ...rest,
  };
}
