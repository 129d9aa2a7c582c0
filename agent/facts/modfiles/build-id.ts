/** The GNU build id of a module file. Reads only. */
import { sectionBytes, viewOf, type ByteSource, type Elf } from './elf.ts';

/**
 * The GNU build id of a file in hexadecimal, from the note of its linker: sizes of name and id, type 3, `GNU`, the id. Undefined
 * without one. Source: elf(5), ld(1) (--build-id).
 */
export function readBuildId(source: ByteSource, elf: Elf): string | undefined {
  const note = sectionBytes(source, elf, '.note.gnu.build-id');
  if (note === undefined || note.length < 16) return undefined;
  const view = viewOf(note);
  const [nameSize, size, type] = [0, 4, 8].map((at) => view.getUint32(at, elf.littleEndian));
  const isBuildId = type === 3 && nameSize === 4 && note.toString('latin1', 12, 16) === 'GNU\0';
  return isBuildId && size !== undefined && 16 + size <= note.length ? note.toString('hex', 16, 16 + size) : undefined;
}
