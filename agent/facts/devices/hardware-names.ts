/**
 * Names of PCI and USB devices, where a list of them is installed: pci.ids and usb.ids (packages of these names, or hwdata), or the text
 * of udev's hardware database. Reads a list when the first name is asked for. Source: the head of pci.ids; hwdb(7).
 */
import type { Host } from '../../base/host.ts';
import { readTextIn } from '../regular-file.ts';

/** Vendor and product: `Intel Corporation 82574L Gigabit Network Connection`; undefined when no list has the device. */
export type HardwareNames = (modaliases: readonly string[]) => string | undefined;

interface List {
  readonly ids: readonly string[];
  readonly hwdb: string;
}

const LISTS = {
  pci: {
    ids: ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'],
    hwdb: '20-pci-vendor-model.hwdb',
  },
  usb: {
    ids: ['/var/lib/usbutils/usb.ids', '/usr/share/misc/usb.ids', '/usr/share/hwdata/usb.ids'],
    hwdb: '20-usb-vendor-model.hwdb',
  },
} as const satisfies Record<string, List>;
const HWDB_FOLDERS = ['/usr/lib/udev/hwdb.d', '/lib/udev/hwdb.d'];

const MODALIAS = /^(?:pci:v0000([0-9A-F]{4})d0000|usb:v([0-9A-F]{4})p)([0-9A-F]{4})/;

/**
 * The names that the host's lists have.
 *
 *     hardwareNames(openHost())(['pci:v00008086d000010D3sv…'])   // 'Intel Corporation 82574L Gigabit Network Connection'
 */
export function hardwareNames(host: Host): HardwareNames {
  const lists = { pci: onFirstUse(host, 'pci'), usb: onFirstUse(host, 'usb') };
  const known = new Map<string, string | undefined>();
  return (modaliases) => {
    for (const modalias of modaliases) {
      const [key, ofPci, ofUsb, product = ''] = MODALIAS.exec(modalias) ?? [];
      const vendor = ofPci ?? ofUsb;
      if (key === undefined || vendor === undefined) continue;
      if (!known.has(key)) known.set(key, lists[ofPci === undefined ? 'usb' : 'pci']()(vendor, product));
      return known.get(key);
    }
    return undefined;
  };
}

/**
 * The same for a tree below another root: where its lists have no name, those of this machine, since an identifier means the same everywhere.
 *
 *     hardwareNamesFor(openHost({ root: '/srv/img' }))(['pci:v00008086d000010D3sv…'])
 */
export function hardwareNamesFor(host: Host): HardwareNames {
  const own = hardwareNames(host);
  if (host.root === '') return own;
  const ours = hardwareNames({ ...host, root: '' });
  return (modaliases) => own(modaliases) ?? ours(modaliases);
}

type Search = (vendor: string, product: string) => string | undefined;

function onFirstUse(host: Host, bus: keyof typeof LISTS): () => Search {
  let search: Search | undefined;
  return () => (search ??= open(host, bus));
}

function open(host: Host, bus: keyof typeof LISTS): Search {
  const { ids, hwdb } = LISTS[bus];
  for (const path of ids) {
    const text = readTextIn(host.root, host.root + path);
    if (text !== undefined) return (vendor, product) => inIds(text, vendor.toLowerCase(), product.toLowerCase());
  }
  for (const folder of HWDB_FOLDERS) {
    const text = readTextIn(host.root, `${host.root}${folder}/${hwdb}`);
    if (text !== undefined) return (vendor, product) => inHwdb(text, bus, vendor, product);
  }
  return () => undefined;
}

/** `8086  Intel Corporation`, below it `<TAB>10d3  82574L …`. */
function inIds(text: string, vendor: string, product: string): string | undefined {
  const name = lineBehind(text, `\n${vendor}  `, 0, text.length);
  if (name === undefined) return undefined;
  const next = text.slice(name.end).search(/\n[0-9a-zA-Z]/);
  const model = lineBehind(text, `\n\t${product}  `, name.end, next < 0 ? text.length : name.end + next);
  return model === undefined ? undefined : `${name.line} ${model.line}`;
}

/** `pci:v00008086d000010D3*` with ` ID_MODEL_FROM_DATABASE=…` below it. */
function inHwdb(text: string, bus: keyof typeof LISTS, vendor: string, product: string): string | undefined {
  const [v, p] = bus === 'pci' ? [`v0000${vendor}`, `d0000${product}`] : [`v${vendor}`, `p${product}`];
  const name = lineBehind(text, `\n${bus}:${v}*\n ID_VENDOR_FROM_DATABASE=`, 0, text.length);
  const model = lineBehind(text, `\n${bus}:${v}${p}*\n ID_MODEL_FROM_DATABASE=`, 0, text.length);
  return name === undefined || model === undefined ? undefined : `${name.line} ${model.line}`;
}

/** The rest of the line behind `head`, which stands between `from` and `before`. Lists are UTF-8, `text` is latin1. */
function lineBehind(text: string, head: string, from: number, before: number) {
  const at = text.indexOf(head, from);
  if (at < 0 || at >= before) return undefined;
  const begin = at + head.length;
  const end = text.indexOf('\n', begin);
  const stop = end < 0 ? text.length : end;
  return { line: text.slice(begin, stop), end: stop };
}
