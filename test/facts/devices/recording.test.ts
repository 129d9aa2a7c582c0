import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseRecording, readBoundDevices, recordLine } from '../../../agent/facts/devices/recording.ts';
import { plantSysfs } from '../../fixtures/sysfs.ts';

const corpus = process.env['PLUGD_CORPUS'];

t.test('a machine that is recorded and read again is the same', (t) => {
  const sysfs = t.testdir({});
  plantSysfs(sysfs, [
    {
      devpath: '/devices/pci0000:00/0000:00:02.0',
      subsystem: 'pci',
      modalias: 'pci:v00008086d000010D3',
      driver: 'e1000e',
    },
    { devpath: '/devices/pci0000:00/0000:00:03.0', subsystem: 'pci', modalias: 'pci:v00001234d00001111' },
    { devpath: '/devices/platform/Fixed MDIO bus.0', subsystem: 'platform', modalias: 'platform:Fixed \xe9 "bus"\\' },
    { devpath: '/devices/system/cpu', subsystem: 'cpu' },
  ]);
  mkdirSync(join(sysfs, 'module/e1000e'), { recursive: true });
  mkdirSync(join(sysfs, 'bus/pci/drivers/e1000e'), { recursive: true });
  symlinkSync('../../../../module/e1000e', join(sysfs, 'bus/pci/drivers/e1000e/module'));
  writeFileSync(
    join(sysfs, 'devices/pci0000:00/0000:00:03.0/uevent'),
    'PCI_CLASS=30000\nHID_UNIQ=aa:bb:cc\nMODALIAS=pci:v00001234d00001111\nMODALIAS=of:NvgaT(null)Cx\n',
  );
  const devices = [...readBoundDevices(sysfs)];
  t.equal(devices.length, 4);
  const text = devices.map(recordLine).join('');
  t.notMatch(text, /aa:bb:cc/, 'what identifies a thing or its owner is not recorded');
  t.match(text, /^[\x00-\x7e]*$/, 'ASCII');
  const again = parseRecording(text, 'x.jsonl');
  const essence = (list: typeof again) =>
    list.map(({ devpath, name, subsystem, modaliases, driver, driverModule }) => ({
      devpath,
      name,
      subsystem,
      modaliases,
      driver,
      driverModule,
    }));
  t.same(essence(again), essence(devices));
  t.match(
    again.find((device) => device.driver === 'e1000e'),
    { driverModule: 'e1000e' },
  );
  t.same(again.find((device) => device.name === '0000:00:03.0')?.modaliases, [
    'pci:v00001234d00001111',
    'of:NvgaT(null)Cx',
  ]);
  t.equal(again.find((device) => device.name === '0000:00:03.0')?.properties.get('PCI_CLASS'), '30000');
  t.end();
});

const broken: Record<string, readonly [string, RegExp]> = {
  'not JSON': ['{"devpath": "/x"', /^x.jsonl:2: not JSON/],
  'a number': ['7', /^x.jsonl:2: not a JSON object/],
  null: ['null', /not a JSON object/],
  'no devpath': ['{"subsystem": "pci"}', /^x.jsonl:2: no 'devpath'/],
  'a devpath that is no path': ['{"devpath": "x"}', /no 'devpath'/],
  'a modalias that is no string': ['{"devpath": "/x", "modalias": 3}', /'modalias' is not a string/],
};
for (const [name, [line, expected]] of Object.entries(broken)) {
  t.test(`refused: ${name}`, (t) => {
    t.throws(() => parseRecording(`{"devpath": "/a"}\n${line}\n`, 'x.jsonl'), { code: 'usage', message: expected });
    t.end();
  });
}

t.test('lines of other programs', (t) => {
  const [device] = parseRecording(
    '\n{"devpath": "/devices/x", "later": {}, "driver": null, "modalias": "", "module": "y", "name": "\u0142"}\r\n',
    'x',
  );
  t.match(device, {
    devpath: '/devices/x',
    name: 'x',
    subsystem: '',
    modaliases: [],
    driver: undefined,
    driverModule: 'y',
  });
  t.end();
});

t.test(
  'recordings of real machines',
  { skip: corpus === undefined && 'PLUGD_CORPUS names no folder of recordings' },
  (t) => {
    const folder = join(corpus ?? '', 'machines');
    let devices = 0;
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8');
      const parsed = parseRecording(text, name);
      devices += parsed.length;
      const again = parseRecording(parsed.map(recordLine).join(''), name);
      if (JSON.stringify(again) !== JSON.stringify(parsed)) t.fail(`${name} changes when it is written and read again`);
    }
    t.ok(devices > 10_000, `${devices} devices`);
    t.end();
  },
);
