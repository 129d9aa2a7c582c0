/**
 * The heap's segment of the linked program: room behind what the file has of it, and a heap copy as its contents. Source: elf(5).
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Where host/heap/heap.ld puts it, and how much room the kernel is to give it (RESERVED of host/heap/pieces.h). */
const ADDRESS = 0x10000000n;
const RESERVED = 8n << 20n;

/** The place of the heap's program header in an ELF file of 64 bits, little-endian. Errors: when there is none. */
function heapHeader(bytes) {
  const at = Number(bytes.readBigUInt64LE(32));
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  for (let i = 0; i < count; i++) {
    const header = at + i * size;
    // PT_LOAD
    if (bytes.readUInt32LE(header) === 1 && bytes.readBigUInt64LE(header + 16) === ADDRESS) return header;
  }
  throw new Error('the program has no segment for its heap');
}

/** The place of the heap's section header. strip(1) keeps what sections have, whatever the program headers say. */
function heapSection(bytes) {
  const at = Number(bytes.readBigUInt64LE(40));
  const [size, count] = [bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  const headers = Array.from({ length: count }, (_, i) => at + i * size);
  const header = headers.find((place) => bytes.readBigUInt64LE(place + 16) === ADDRESS);
  if (header === undefined) throw new Error('the program has no section for its heap');
  return header;
}

/** Gives the heap its room. */
export function reserveHeap(file) {
  const bytes = readFileSync(file);
  bytes.writeBigUInt64LE(RESERVED, heapHeader(bytes) + 40);
  writeFileSync(file, bytes);
}

/** Writes the program with a heap copy as `target`. */
export function addHeap(file, heap, target) {
  const program = readFileSync(file);
  const contents = readFileSync(heap);
  const header = heapHeader(program);
  // The largest page that a kernel may have there.
  const page = Number(program.readBigUInt64LE(header + 48));
  const at = Math.ceil(program.length / page) * page;
  program.writeBigUInt64LE(BigInt(at), header + 8);
  program.writeBigUInt64LE(BigInt(contents.length), header + 32);
  const section = heapSection(program);
  program.writeBigUInt64LE(BigInt(at), section + 24);
  program.writeBigUInt64LE(BigInt(contents.length), section + 32);
  writeFileSync(target, Buffer.concat([program, Buffer.alloc(at - program.length), contents]), { mode: 0o755 });
}
