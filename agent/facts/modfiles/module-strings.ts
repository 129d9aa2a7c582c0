import { openModuleFile } from './module-file.ts';

/**
 * Whether a module's data has one of these texts as a string of its own, in whatever case: the names of the drivers that it registers
 * are such strings (`e1000e`, `piix4_smbus`). Undefined for a file that cannot be read as a module.
 */
export function moduleMentions(root: string, path: string, text: string): boolean | undefined {
  const file = openModuleFile(root, path);
  if (file.kind !== 'module') return undefined;
  try {
    const image = file.image();
    const wanted = `\0${text.toLowerCase()}\0`;
    // The first string of a section has nothing in front of it.
    return file.elf.sections.some(
      ({ name, offset, size }) =>
        /^\.(rodata|data|init\.rodata)/.test(name) &&
        `\0${image.toString('latin1', offset, offset + size)}`.toLowerCase().includes(wanted),
    );
  } finally {
    file.close();
  }
}

/** What kernel functions call a bus, where that is not its name in sysfs. */
const BUS_WORDS: Readonly<Record<string, string>> = { mdio_bus: 'phy', hdaudio: 'hda' };

/**
 * Whether a module calls the kernel to register a driver on a bus (`pci`: `__pci_register_driver`). A module that only mentions a
 * driver's name does not: nvme-core mentions nvme. Undefined for a file that cannot be read as a module.
 */
export function registersDriver(root: string, path: string, bus: string): boolean | undefined {
  const file = openModuleFile(root, path);
  if (file.kind !== 'module') return undefined;
  try {
    const word = (BUS_WORDS[bus] ?? bus).replaceAll(/\W/g, '_');
    const registering = new RegExp(
      `${word}\\w*(register\\w*driver|driver\\w*register|driver_probe|create_bundle)|register_${word}`,
    );
    return file.needs()?.some(({ name }) => registering.test(name));
  } finally {
    file.close();
  }
}
