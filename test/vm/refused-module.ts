/** Modules that the kernel refuses to insert unless it is forced. */

/** The module with another kernel's version magic. */
export function ofAnotherKernel(image: Buffer, kernel: string): Buffer {
  // With symbol versions the kernel passes over the release; the words behind it count.
  const magic = `vermagic=${kernel} `;
  const changed = Buffer.from(image);
  changed.write('UMP', changed.indexOf(magic, 0, 'latin1') + magic.length, 'latin1');
  return unsigned(changed);
}

/** The module with another version of the symbol that stands for the layout of struct module; an entry is 8 bytes and its name. */
export function ofOtherSymbols(image: Buffer): Buffer {
  const changed = Buffer.from(image);
  const version = changed.indexOf('module_layout\0', 0, 'latin1') - 8;
  changed.writeUInt32LE((changed.readUInt32LE(version) ^ 1) >>> 0, version);
  return unsigned(changed);
}

/** Without the signature, which does not fit any more. */
function unsigned(image: Buffer): Buffer {
  const mark = image.lastIndexOf('~Module signature appended~');
  return mark < 0 ? image : image.subarray(0, mark - 12 - image.readUInt32BE(mark - 4));
}
