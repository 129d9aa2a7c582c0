/** What sysfs says about binding a device to a driver. Reads only; diagnosis/ and explain/ judge. */
import type { Host } from '../../base/host.ts';
import { readAttribute, readText } from '../attribute.ts';
import type { Device } from './device.ts';
import { readKernelLog } from '../kernel/kernel-log.ts';

/** What may keep an available driver from binding to a device. */
export interface BindingFacts {
  /** Somebody wrote a driver's name to the device's driver_override: only that driver binds. */
  readonly override: string | undefined;
  /** The bus binds new devices by itself (drivers_autoprobe); true where it does not say. */
  readonly autoprobe: boolean;
  /** USB and Thunderbolt: whether the device may be used; undefined on other buses. */
  readonly authorized: boolean | undefined;
  /** ACPI: the firmware says (_STA) that the device is not there. */
  readonly absent: boolean;
  /** In /sys/kernel/debug/devices_deferred: the driver waits for something else; the reason, '' when none is given. */
  readonly deferred: string | undefined;
  /** The last lines of the kernel's log that begin with a driver and this device's name, latin1; empty without a log. */
  log(): readonly string[];
}

const LINES = 4;

/** Reads them for a device of this machine. Source: Documentation/ABI/testing/sysfs-bus-{pci,usb,thunderbolt,acpi}. */
export function readBindingFacts(host: Host, device: Device): BindingFacts {
  const attribute = (name: string) => readAttribute(`${host.sysfs}${device.devpath}/${name}`);
  const override = attribute('driver_override');
  const authorized = attribute('authorized');
  const waiting = (readText(`${host.sysfs}/kernel/debug/devices_deferred`) ?? '').split('\n');
  const line = waiting.find((text) => text.split(/\s/, 1)[0] === device.name);
  return {
    override: override === undefined || override === '' || override === '(null)' ? undefined : override,
    autoprobe: readAttribute(`${host.sysfs}/bus/${device.subsystem}/drivers_autoprobe`) !== '0',
    authorized: authorized === undefined ? undefined : authorized !== '0',
    absent: device.subsystem === 'acpi' && attribute('status') === '0',
    deferred: line?.slice(device.name.length).trim(),
    log: () =>
      (readKernelLog() ?? [])
        .filter(({ text }) => text.includes(` ${device.name}: `))
        .slice(-LINES)
        .map(({ text }) => text),
  };
}
