import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readBoundDevices } from '../../../agent/facts/devices/bound-device.ts';
import { parseMachine, parseRecording, recordLine } from '../../../agent/facts/devices/recording.ts';
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
  writeFileSync(join(sysfs, 'module/e1000e/initstate'), 'live\n');
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

t.test('where a driver is: its module link says so only where the module has a state', (t) => {
  const sysfs = t.testdir({});
  plantSysfs(sysfs, [
    { devpath: '/devices/pci0/a', subsystem: 'pci', driver: 'e1000e' },
    { devpath: '/devices/pci0/b', subsystem: 'pci', driver: 'pcieport' },
    { devpath: '/devices/pci0/c', subsystem: 'pci', driver: 'serial' },
    { devpath: '/devices/pci0/d', subsystem: 'pci' },
  ]);
  const place = (driver: string, module: string) => {
    mkdirSync(join(sysfs, 'module', module), { recursive: true });
    symlinkSync(`../../../../module/${module}`, join(sysfs, 'bus/pci/drivers', driver, 'module'));
  };
  mkdirSync(join(sysfs, 'bus/pci/drivers/e1000e'), { recursive: true });
  mkdirSync(join(sysfs, 'bus/pci/drivers/pcieport'), { recursive: true });
  place('e1000e', 'e1000e');
  writeFileSync(join(sysfs, 'module/e1000e/initstate'), 'live\n');
  place('pcieport', 'pcieportdrv');
  const found = Object.fromEntries(
    [...readBoundDevices(sysfs)].map(({ name, driverModule, builtin }) => [name, [driverModule, builtin]]),
  );
  t.same(found, {
    a: ['e1000e', false],
    b: [undefined, true],
    c: [undefined, true],
    d: [undefined, undefined],
  });
  const [line] = [...readBoundDevices(sysfs)].filter(({ name }) => name === 'b').map(recordLine);
  t.match(line, /"driver":"pcieport","builtin":true/);
  t.notMatch(line, /module/);
  t.end();
});

const HEADER = '{"recording":1,"architecture":"x86_64","kernel":"6.1","machine":"A B","date":"2026-01-02T03:04:05Z"}';
const headers: Record<string, readonly [text: string, expected: object | RegExp]> = {
  'the first line tells of the machine': [
    `${HEADER}\n{"devpath":"/a"}\n`,
    { header: { architecture: 'x86_64', kernel: '6.1', machine: 'A B', date: '2026-01-02T03:04:05Z' } },
  ],
  'names that the kernel asked for; those of people are dropped': [
    '{"recording":1,"asked":["fs-ext4","netdev-alice","crypto-xts(aes)","fs-ext4",7]}\n',
    { header: { asked: ['fs-ext4', 'crypto-xts(aes)'] } },
  ],
  'the format of plugd 0.1 has none': ['{"devpath":"/a"}\n', { header: { architecture: undefined } }],
  'a header alone is a recording of nothing': [`${HEADER}\n`, { devices: [] }],
  'a later format': ['{"recording":2}\n{"devpath":"/a"}\n', /^x:1: format 2 is newer than this plugd, which reads 1/],
  'a format that is no number': ['{"recording":"1"}\n', /^x:1: 'recording' is not a format's number/],
  'a second header is no device': [`${HEADER}\n${HEADER}\n`, /^x:2: no 'devpath'/],
};
for (const [name, [text, expected]] of Object.entries(headers)) {
  t.test(`header: ${name}`, (t) => {
    if (expected instanceof RegExp) t.throws(() => parseMachine(text, 'x'), { code: 'usage', message: expected });
    else t.match(parseMachine(text, 'x'), expected);
    t.end();
  });
}

const hostile: Record<string, readonly [text: string, expected: RegExp | undefined]> = {
  'a huge line': [`{"devpath":"/a","x":"${'x'.repeat(2 << 20)}"}`, /^x:1: a line of more than 1048576 characters/],
  'deep JSON': [`{"devpath":"/a","x":${'['.repeat(400_000)}${']'.repeat(400_000)}}`, undefined],
  'deep JSON that never ends': [`{"devpath":"/a","x":${'['.repeat(400_000)}`, /^x:1: not JSON/],
  'more devices than any machine has': ['{"devpath":"/a"}\n'.repeat(100_001), /^x:100001: more than 100000 devices/],
  'more devices in an exported database': ['P: /a\n\n'.repeat(100_001), /more than 100000 devices/],
  'a huge line in an exported database': [`P: /a\nE: A=${'x'.repeat(2 << 20)}`, /^x:2: a line of more than/],
};
for (const [name, [text, expected]] of Object.entries(hostile)) {
  t.test(`hostile: ${name}`, (t) => {
    if (expected === undefined) t.equal(parseRecording(text, 'x').length, 1);
    else t.throws(() => parseRecording(text, 'x'), { code: 'usage', message: expected });
    t.end();
  });
}

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
