/**
 * The firmware's and shim's lists of keys and hashes: the values of db, dbx, MokListRT and the like. Pure; trusts nothing in them.
 *
 *     EFI_SIGNATURE_LIST: type GUID (16), size of the list, of its header, of each signature (u32 each), the header, signatures
 *     EFI_SIGNATURE_DATA: owner GUID (16), data
 *
 * Source: UEFI specification, 32.4.1 Signature Database.
 */

/** What an entry is: a certificate, a hash of something, or another kind by its GUID. */
export type SignatureType = 'x509' | 'sha256' | 'x509-sha256' | 'x509-sha384' | 'x509-sha512' | 'other';

/** One entry. `owner` is who put it there, as a GUID: `77fa9abd-0359-4d32-bd60-28f4e78f784b` is Microsoft. */
export interface SignatureEntry {
  readonly type: SignatureType;
  readonly owner: string;
  readonly data: Buffer;
}

/** The entries up to where the lists end, or are damaged. */
export interface SignatureList {
  readonly entries: readonly SignatureEntry[];
  readonly damaged: boolean;
}

const TYPES: ReadonlyMap<string, SignatureType> = new Map([
  ['a5c059a1-94e4-4aa7-87b5-ab155c2bf072', 'x509'],
  ['c1c41626-504c-4092-aca9-41f936934328', 'sha256'],
  ['3bd2a492-96c0-4079-b420-fcf98ef103ed', 'x509-sha256'],
  ['7076876e-80c2-4ee6-aad2-28b349a6865b', 'x509-sha384'],
  ['446dbf63-2502-4cda-bcfa-2465d2b0fe9d', 'x509-sha512'],
]);
const GUID = 16;
const HEAD = GUID + 12;
/** More entries than any variable has room for; a dbx of 2026 has some 500. */
const MOST_ENTRIES = 1 << 16;

/** The entries of the lists in a variable's value, one list after the other; of an empty value, none. */
export function parseSignatureLists(bytes: Buffer): SignatureList {
  const entries: SignatureEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + HEAD > bytes.length) return { entries, damaged: true };
    const type = TYPES.get(guidText(bytes, at)) ?? 'other';
    const size = bytes.readUInt32LE(at + GUID);
    const start = HEAD + bytes.readUInt32LE(at + GUID + 4);
    const each = bytes.readUInt32LE(at + GUID + 8);
    if (size < start || at + size > bytes.length || each < GUID || (size - start) % each !== 0)
      return { entries, damaged: true };
    for (let from = at + start; from < at + size; from += each) {
      if (entries.length === MOST_ENTRIES) return { entries, damaged: true };
      entries.push({ type, owner: guidText(bytes, from), data: bytes.subarray(from + GUID, from + each) });
    }
    at += size;
  }
  return { entries, damaged: false };
}

/**
 * Lists of certificates, a list each, since their sizes differ: what MokNew holds. Of another type, lists of hashes. The inverse of
 * parseSignatureLists.
 */
export function signatureListOf(
  certificates: readonly Buffer[],
  owner: string,
  type: Exclude<SignatureType, 'other'> = 'x509',
): Buffer {
  const guid = [...TYPES].find(([, name]) => name === type)?.[0] ?? '';
  const lists = certificates.map((certificate) => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(HEAD + GUID + certificate.length, 0);
    head.writeUInt32LE(GUID + certificate.length, 8);
    return Buffer.concat([guidBytes(guid), head, guidBytes(owner), certificate]);
  });
  return Buffer.concat(lists);
}

/** The first three fields of a GUID are little-endian. */
function guidText(bytes: Buffer, at: number): string {
  const fields = swapped(bytes.subarray(at, at + GUID)).toString('hex');
  return fields.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A GUID as it stands in variables: `guidBytes(EFI_GUID.shim)`. */
export function guidBytes(text: string): Buffer {
  return swapped(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** The first three fields with their bytes turned round. */
function swapped(guid: Buffer): Buffer {
  return Buffer.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((at) => guid[at] ?? 0));
}
