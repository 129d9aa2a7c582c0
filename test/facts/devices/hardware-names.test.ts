import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { hardwareNames } from '../../../agent/facts/devices/hardware-names.ts';

const IDS = `# a list
1234  Other
\t10d3  Not this one
8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
\t\t8086 a01f  Subsystem
80ff  Next
\t0001  Its own
`;
const HWDB = `pci:v00008086*
 ID_VENDOR_FROM_DATABASE=Intel Corporation

pci:v00008086d000010D3*
 ID_MODEL_FROM_DATABASE=82574L
`;

const ids = { usr: { share: { misc: { 'pci.ids': IDS } } } };
const hwdb = { usr: { lib: { udev: { 'hwdb.d': { '20-pci-vendor-model.hwdb': `\n${HWDB}` } } } } };

const ROWS: ReadonlyArray<readonly [rule: string, files: object, modalias: string, name?: string]> = [
  ['pci.ids', ids, 'pci:v00008086d000010D3sv0', 'Intel Corporation 82574L Gigabit Network Connection'],
  ["another vendor's product", ids, 'pci:v00008086d00000001sv0'],
  ['the last vendor', ids, 'pci:v000080FFd00000001sv0', 'Next Its own'],
  ['a bus without a list', ids, 'acpi:PNP0C0A:'],
  ["udev's text", hwdb, 'pci:v00008086d000010D3sv0', 'Intel Corporation 82574L'],
  ['no list at all', {}, 'pci:v00008086d000010D3sv0'],
];
for (const [rule, files, modalias, name] of ROWS) {
  t.test(`names of hardware: ${rule}`, (t) => {
    const root = t.testdir({ ...files, lib: { modules: { '1': {} } } });
    t.equal(hardwareNames(openHost({ root }))([modalias]), name);
    t.end();
  });
}
