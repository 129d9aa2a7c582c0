/**
 * How people write a device: as lspci (`02:00.0`, `[8086:10d3]`), lsusb (`0bda:8153`), udevadm (`MODALIAS=pci:…`) and the kernel's
 * log print it. Pure.
 */

/** `MODALIAS=pci:v…` and `[8086:10d3]` → what stands in them; any other word as it is. */
export function bareWord(word: string): string {
  const value = word.startsWith('MODALIAS=') ? word.slice('MODALIAS='.length) : word;
  return (
    /^"(.*)"$|^'(.*)'$|^\[([^\]]*)\]$/
      .exec(value)
      ?.slice(1)
      .find((inside) => inside !== undefined) ?? value
  );
}

/** The vendor and the product by which lspci -n and lsusb show a device, in small hexadecimal. */
export interface DeviceId {
  readonly vendor: string;
  readonly product: string;
}

/** `8086:10D3` → its vendor and product; undefined for any other word. */
export function deviceId(word: string): DeviceId | undefined {
  const [, vendor, product] = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(word) ?? [];
  return vendor === undefined || product === undefined
    ? undefined
    : { vendor: vendor.toLowerCase(), product: product.toLowerCase() };
}

/** What MODALIASes of a device with that ID contain: `v00008086d000010D3sv` of PCI, `v8086p10D3d` of USB. */
export function idInModaliases({ vendor, product }: DeviceId): readonly string[] {
  const [v, p] = [vendor.toUpperCase(), product.toUpperCase()];
  return [`pci:v0000${v}d0000${p}`, `usb:v${v}p${p}d`];
}

/** Names that buses give their devices, which no MODALIAS, module or alias has. */
const ADDRESSES: ReadonlyArray<readonly [bus: string, name: RegExp]> = [
  ['pci', /^([0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i],
  ['usb', /^\d{1,3}-\d{1,3}(\.\d{1,3})*(:\d+\.\d+)?$/],
  ['usb', /^\d+-0:\d+\.\d+$/],
  ['scsi', /^(\d+:){3}\d+$/],
  ['hid', /^[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]{4}$/],
  ['acpi', /^(?:[A-Z]{3}[0-9A-F]{4}|[A-Z0-9]{4}[0-9A-F]{4}|LNX[A-Z]{5}|device):[0-9a-f]{2,4}$/],
  ['i2c', /^\d{1,3}-[0-9a-f]{4}$/],
  ['pnp', /^[0-9a-f]{2}:[0-9a-f]{2}$/],
];

/** `0000:99:00.0` → `pci`: the bus whose devices have such names; undefined for any other word. */
export function addressBus(word: string): string | undefined {
  return ADDRESSES.find(([, name]) => name.test(word))?.[0];
}

const hex = (digits: number) => `[0-9A-F]{${digits}}`;
/** What follows the bus, field by field, as the kernel prints it (the buses' uevent functions; scripts/mod/file2alias.c reads it). */
const FORMATS: Readonly<Record<string, ReadonlyArray<readonly [field: string, digits: number]>>> = {
  pci: [
    ['v', 8],
    ['d', 8],
    ['sv', 8],
    ['sd', 8],
    ['bc', 2],
    ['sc', 2],
    ['i', 2],
  ],
  usb: [
    ['v', 4],
    ['p', 4],
    ['d', 4],
    ['dc', 2],
    ['dsc', 2],
    ['dp', 2],
    ['ic', 2],
    ['isc', 2],
    ['ip', 2],
    ['in', 2],
  ],
  virtio: [
    ['d', 8],
    ['v', 8],
  ],
  hid: [
    ['b', 4],
    ['g', 4],
    ['v', 8],
    ['p', 8],
  ],
  hdaudio: [
    ['v', 8],
    ['r', 8],
    ['a', 2],
  ],
  sdio: [
    ['c', 2],
    ['v', 4],
    ['d', 4],
  ],
  serio: [
    ['ty', 2],
    ['pr', 2],
    ['id', 2],
    ['ex', 2],
  ],
};

/**
 * `pci:v0000AAAA` → `after pci:v0000AAAA comes d and 8 hexadecimal digits`: the missing part of a MODALIAS, on a bus with a
 * fixed format. Undefined for a complete one, and for every other bus.
 */
export function missingOfModalias(modalias: string): string | undefined {
  const bus = modalias.slice(0, modalias.indexOf(':'));
  const format = Object.hasOwn(FORMATS, bus) ? FORMATS[bus] : undefined;
  if (format === undefined) return undefined;
  let whole = `${bus}:`;
  for (const [field, digits] of format) {
    const rest = modalias.slice(whole.length);
    const [found] = new RegExp(`^${field}${hex(digits)}`).exec(rest) ?? [];
    if (found === undefined) return `after ${whole} come ${field} and ${digits} hexadecimal digits (0-9, A-F)`;
    whole += found;
  }
  return whole === modalias ? undefined : `nothing may follow ${whole}`;
}
