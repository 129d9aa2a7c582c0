/**
 * Writes a firmware's variables as EDK2 keeps them in flash (OVMF_VARS_4M.fd): a firmware volume's header of 0x48 bytes, the store's of
 * 0x1c, then the variables one after the other, each at a multiple of four bytes; what is empty is 0xff.
 *
 *     0x55aa, state, 0, attributes u32, count u64, EFI_TIME (16), key u32, size of the name u32, of the value u32, GUID (16), name, value
 *
 * Source: edk2, MdeModulePkg/Include/Guid/VariableFormat.h.
 */
import { EFI_GUID } from '../../../agent/facts/efi/efi-variables.ts';
import { guidBytes } from '../../../agent/facts/efi/signature-list.ts';

const FIRST = 0x48 + 0x1c;
const HEAD = 60;
const WHOLE = 0x3f;

/** Bits of a variable's attributes: kept, for the firmware, for the system too, set only with a signature. */
const BOOT = 1 | 2;
const RUNTIME = BOOT | 4;
const SIGNED = RUNTIME | 0x20;

/** Namespaces beside those that plugd reads. */
const ENABLE = 'f0a30bc7-af08-4556-99c4-001009c93a44';

/** A variable: `boot` ones only the firmware and its programs see, `signed` ones are the firmware's keys. */
export interface Variable {
  readonly name: string;
  readonly guid: string;
  readonly kind: 'boot' | 'runtime' | 'signed';
  readonly value: Buffer;
}

/** shim's own variables, which the system does not see: `shimVariable('MokList', lists)`. */
export function shimVariable(name: string, value: Buffer): Variable {
  return { name, guid: EFI_GUID.shim, kind: 'boot', value };
}

/** What switches Secure Boot on: the platform's key, the key that may change the lists, what may start, what may not. */
export function secureBootVariables(lists: {
  readonly pk: Buffer;
  readonly kek: Buffer;
  readonly db: Buffer;
  readonly dbx: Buffer;
}): readonly Variable[] {
  return [
    { name: 'PK', guid: EFI_GUID.global, kind: 'signed', value: lists.pk },
    { name: 'KEK', guid: EFI_GUID.global, kind: 'signed', value: lists.kek },
    { name: 'db', guid: EFI_GUID.database, kind: 'signed', value: lists.db },
    { name: 'dbx', guid: EFI_GUID.database, kind: 'signed', value: lists.dbx },
    { name: 'SecureBootEnable', guid: ENABLE, kind: 'boot', value: Buffer.from([1]) },
  ];
}

/** An empty store (Debian's OVMF_VARS_4M.fd) with these variables. */
export function variableStore(empty: Buffer, variables: readonly Variable[]): Buffer {
  const store = Buffer.from(empty);
  let at = FIRST;
  for (const variable of variables) {
    const bytes = entry(variable);
    bytes.copy(store, at);
    at += (bytes.length + 3) & ~3;
  }
  return store;
}

/** A variable of the store; the last whole one of that name, undefined when there is none. */
export function storedVariable(store: Buffer, name: string): Buffer | undefined {
  let found: Buffer | undefined;
  for (let at = FIRST; store.readUInt16LE(at) === 0x55aa;) {
    const [names, values] = [store.readUInt32LE(at + 36), store.readUInt32LE(at + 40)];
    const end = at + HEAD + names;
    const own = store.subarray(at + HEAD, end - 2).toString('utf16le');
    if (store[at + 2] === WHOLE && own === name) found = store.subarray(end, end + values);
    at = (end + values + 3) & ~3;
  }
  return found;
}

function entry({ name, guid, kind, value }: Variable): Buffer {
  const head = Buffer.alloc(HEAD);
  const text = Buffer.from(`${name}\0`, 'utf16le');
  head.writeUInt16LE(0x55aa, 0);
  head[2] = WHOLE;
  head.writeUInt32LE(kind === 'signed' ? SIGNED : kind === 'runtime' ? RUNTIME : BOOT, 4);
  // The firmware asks of a signed one that its time is not before the last one's: 2020-01-01.
  if (kind === 'signed') Buffer.from('e4070101', 'hex').copy(head, 16);
  head.writeUInt32LE(text.length, 36);
  head.writeUInt32LE(value.length, 40);
  guidBytes(guid).copy(head, 44);
  return Buffer.concat([head, text, value]);
}
