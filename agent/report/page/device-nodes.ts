/** The devices of a machine as a tree of rows: siblings that differ in their names only share one. Builds data only. */
import type { SnapshotDevice } from '../../explain/snapshot/snapshot.ts';

/** One row: the devices that it stands for, and what is behind them. */
export interface DeviceNode {
  /** Position of the first of them in the snapshot's devices. */
  readonly at: number;
  readonly devices: readonly SnapshotDevice[];
  readonly children: readonly DeviceNode[];
}

interface Growing {
  readonly at: number;
  readonly device: SnapshotDevice;
  readonly children: Growing[];
}

/** From this many on, alike siblings share a row. */
const FEWEST = 3;

/** The roots, each device below the nearest one that it is behind. */
export function deviceNodes(devices: readonly SnapshotDevice[]): readonly DeviceNode[] {
  const order = devices
    .map((device, at) => ({ device, at, key: sortKey(device.devpath) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const roots: Growing[] = [];
  const above: Growing[] = [];
  for (const { device, at } of order) {
    while (above.length > 0 && !device.devpath.startsWith(`${above.at(-1)?.device.devpath}/`)) above.pop();
    const node: Growing = { at, device, children: [] };
    (above.at(-1)?.children ?? roots).push(node);
    above.push(node);
  }
  return grouped(roots);
}

/** The row of each device, by its position. */
export function rowOfEach(
  nodes: readonly DeviceNode[],
  devices: readonly SnapshotDevice[],
): ReadonlyMap<number, number> {
  const rows = new Map<number, number>();
  const positions = new Map(devices.map((device, at) => [device, at]));
  const visit = ({ at, devices: own, children }: DeviceNode): void => {
    for (const device of own) rows.set(positions.get(device) ?? at, at);
    children.forEach(visit);
  };
  nodes.forEach(visit);
  return rows;
}

/**
 * Paths in an order in which each is followed by what is below it, and numbers count as numbers: cpu2 before cpu10. `1.0` and `01.0`
 * are two names all the same.
 */
function sortKey(devpath: string): string {
  const parts = devpath
    .split('/')
    .map((part) => `${part.replaceAll(/\d+/g, (digits) => digits.padStart(8, '0'))}\u0002${part}`);
  return rootRank(devpath) + parts.join('\u0001');
}

/** Real hardware first; the firmware's own tree, which mostly needs no driver, last. */
function rootRank(devpath: string): string {
  if (devpath.startsWith('/devices/pci')) return '0';
  return /^\/devices\/(LNX|system\/|virtual\/|software|breakpoint|msr)/.test(devpath) ? '2' : '1';
}

function grouped(siblings: readonly Growing[]): readonly DeviceNode[] {
  const alike = new Map<string, Growing[]>();
  for (const node of siblings) {
    const key = node.children.length > 0 ? `only ${node.at}` : likeness(node.device);
    const group = alike.get(key);
    if (group === undefined) alike.set(key, [node]);
    else group.push(node);
  }
  const groupOf = new Map([...alike.values()].flatMap((group) => group.map((node) => [node, group] as const)));
  return siblings.flatMap((node): readonly DeviceNode[] => {
    const group = groupOf.get(node) ?? [];
    if (group.length < FEWEST) return [{ at: node.at, devices: [node.device], children: grouped(node.children) }];
    return group[0] === node ? [{ at: node.at, devices: group.map(({ device }) => device), children: [] }] : [];
  });
}

/** What two devices of one row have in common. */
function likeness({
  subsystem,
  driver,
  driverModule,
  verdict,
  cause,
  reason,
  fate,
  because,
  modaliases,
  name,
}: SnapshotDevice): string {
  const stem = name.replaceAll(/[0-9a-f]+/gi, '#');
  return JSON.stringify([subsystem, driver, driverModule, verdict, cause, reason, fate, because, modaliases, stem]);
}
