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
