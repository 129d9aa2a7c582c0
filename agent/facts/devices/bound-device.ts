/** Devices with their drivers, as sysfs has them or a recording tells. */
import { existsSync } from 'node:fs';
import { readLinkName } from '../attribute.ts';
import { readDevices, type Device } from './device.ts';

/** A device with what is bound to it. */
export interface BoundDevice extends Device {
  /** `ahci`; undefined when no driver is bound. */
  readonly driver: string | undefined;
  /** The module that contains the driver, `virtio_net`; undefined for a driver inside the kernel, or when it is not known. */
  readonly driverModule: string | undefined;
  /** The driver is inside the kernel; undefined when that is not known. */
  readonly builtin?: boolean | undefined;
  /** The firmware files that the module names and the machine has; undefined when that was not looked at. */
  readonly firmware?: readonly string[] | undefined;
}

/** The properties that a recording keeps: load rules use them, and they reveal nothing about the owner. */
const KEPT = /^(DEVTYPE|DEVNAME|INTERFACE|TIFM_CARD_TYPE|PCI_CLASS|PRODUCT|TYPE|OF_NAME|OF_COMPATIBLE_\d+|SERIO_TYPE)$/;

/** Whether a property may be recorded. */
export function isKeptProperty(key: string): boolean {
  return KEPT.test(key);
}

/** All devices of `sysfs`, with their drivers, without the modules (subsystem `module`). */
export function* readBoundDevices(sysfs: string): Generator<BoundDevice> {
  for (const device of readDevices(sysfs)) if (device.subsystem !== 'module') yield bound(sysfs, device);
}

/**
 * The device with the driver that is bound to it now. Since 6.12 drivers inside the kernel have a link to a module too, by a
 * name that may be no module's (pcieport: `pcieportdrv`); only what was loaded has an `initstate`.
 */
export function bound(sysfs: string, device: Device): BoundDevice {
  const driver = readLinkName(`${sysfs}${device.devpath}/driver`);
  if (driver === undefined) return { ...device, driver, driverModule: undefined, builtin: undefined };
  const link = readLinkName(`${sysfs}${device.devpath}/driver/module`);
  const driverModule = link !== undefined && existsSync(`${sysfs}/module/${link}/initstate`) ? link : undefined;
  return { ...device, driver, driverModule, builtin: driverModule === undefined };
}
