import type { Modalias } from '../../base/names.ts';

/**
 * A MODALIAS of an old kernel as today's writes it, undefined where nothing changed: USB has an interface number since 3.8, HID
 * a group since 3.6, and `x86cpu:` became `cpu:type:x86` in 3.15.
 */
export function todaysModalias(modalias: Modalias): Modalias | undefined {
  if (/^usb:v.*ip[0-9A-F]{2}$/.test(modalias)) return `${modalias}in00` as Modalias;
  if (/^hid:b[0-9A-F]{4}v/.test(modalias)) return modalias.replace(/^(hid:b.{4})/, '$1g0001') as Modalias;
  const cpu = /^x86cpu:vendor:(.{4}):family:(.{4}):model:(.{4}):(feature:.*)$/.exec(modalias);
  if (cpu === null) return undefined;
  const [, vendor, family, model, features] = cpu;
  // The sensor in the core (DTHERM), by which coretemp is found, was feature 0x0E7 and is 0x1C0 since 4.6.
  const sensor = features?.includes(',00E7') === true ? ',01C0' : '';
  return `cpu:type:x86,ven${vendor}fam${family}mod${model}:${features}${sensor}` as Modalias;
}
