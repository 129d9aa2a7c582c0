/** What udev rules can ask about a device. Functions, so that a file is read only when a rule gets that far. */
export interface DeviceView {
  /** `add`. */
  readonly action: string;
  /** `pci`; '' when it has none. */
  readonly subsystem: string;
  /** The last part of its devpath: `0000:00:02.0`. */
  readonly kernelName: string;
  /** The kernel's own KEY=value lines. Properties that other udev rules or programs set are not known here. */
  readonly properties: { get(key: string): string | undefined };
  /** The text of a sysfs attribute in the device's directory; undefined when there is none. */
  attribute(name: string): string | undefined;
  /** Whether `path` is there: absolute (`/sys/…` is sysfs, wherever it is mounted), or below the device's directory. */
  exists(path: string): boolean;
  /** The permission bits of `path`, undefined when it is not there; without this function TEST{mode} asks `exists`. */
  mode?(path: string): number | undefined;
}
