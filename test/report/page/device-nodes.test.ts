import t from 'tap';
import { deviceNodes, rowOfEach, type DeviceNode } from '../../../agent/report/page/device-nodes.ts';
import { device } from './made-snapshot.ts';

/** `a(b c)` for a and what is below it; devices of one row are joined by '+'. */
function shape(nodes: readonly DeviceNode[]): string {
  return nodes
    .map(
      ({ devices, children }) =>
        devices.map(({ name }) => name).join('+') + (children.length > 0 ? `(${shape(children)})` : ''),
    )
    .join(' ');
}

const rows: Readonly<Record<string, readonly [paths: readonly string[], shape: string]>> = {
  'a device is below the nearest one above it': [['/devices/a/x/b', '/devices/a', '/devices/a/x/b/c'], 'a(b(c))'],
  'a name that begins like another is no child': [['/devices/a', '/devices/ab'], 'a ab'],
  'numbers count as numbers, and alike siblings share a row': [
    ['/devices/c10', '/devices/c2', '/devices/c1', '/devices/c0'],
    'c0+c1+c2+c10',
  ],
  'names of one number stay apart': [['/devices/01', '/devices/1', '/devices/01/x', '/devices/1/y'], '01(x) 1(y)'],
  'two alike are shown': [['/devices/c0', '/devices/c1'], 'c0 c1'],
  'what has children stands alone': [
    ['/devices/c0', '/devices/c1', '/devices/c2', '/devices/c3', '/devices/c1/x'],
    'c0+c2+c3 c1(x)',
  ],
  'PCI comes first, the tree of the firmware last': [
    ['/devices/LNXSYSTM:00', '/devices/platform/x', '/devices/pci0000:00/y'],
    'y x LNXSYSTM:00',
  ],
};
t.test('the tree of devices', (t) => {
  for (const [name, [paths, expected]] of Object.entries(rows))
    t.equal(shape(deviceNodes(paths.map((path) => device(path)))), expected, name);
  const different = ['c0', 'c1', 'c2'].map((name, i) => device(`/devices/${name}`, i === 1 ? { driver: 'other' } : {}));
  t.equal(shape(deviceNodes(different)), 'c0 c1 c2', 'another driver is another row');
  t.same(deviceNodes([]), []);
  t.end();
});

t.test('each device has a row', (t) => {
  const devices = ['/devices/c2', '/devices/rtc', '/devices/c0', '/devices/c1'].map((path) => device(path));
  const at = rowOfEach(deviceNodes(devices), devices);
  t.same(
    [0, 1, 2, 3].map((i) => at.get(i)),
    [2, 1, 2, 2],
  );
  t.end();
});
