/**
 * A machine whose firmware enforces Secure Boot: OVMF with SMM, which alone may write the keys, then Debian's shim, GRUB and signed kernel
 * from a folder that QEMU shows as a FAT disk. All files are Debian's; keys are in the store of variables that the test writes.
 */
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { signatureListOf } from '../../../agent/facts/efi/signature-list.ts';
import { certificatesIn } from '../../../agent/trust/certificate-search.ts';
import { debianFiles, type Missing } from '../../fixtures/debian.ts';
import type { MachineOptions, StartParts } from '../machine/machine.ts';
import { secureBootVariables, variableStore, type Variable } from './variable-store.ts';

/** Who put a key into a list of the lab's; any GUID will do. */
export const OWNER = '3c1f4f0e-6f0b-4c35-9d52-6a1f0b8e5d11';

/** Debian's firmware and boot loaders, and the certificates that shim's own signatures are by. */
export interface Firmware {
  readonly kind: 'ready';
  readonly root: string;
  readonly microsoft: readonly Buffer[];
}

/** The packages, fetched once. */
export async function firmwareFiles(): Promise<Firmware | Missing> {
  const files = await debianFiles(
    ['ovmf', 'shim-signed', 'shim-helpers-amd64-signed', 'grub-efi-amd64-signed'],
    'amd64',
  );
  if (files.kind === 'missing') return files;
  const shim = certificatesIn(readFileSync(join(files.root, SHIM)));
  const microsoft = shim
    .filter(({ subject }) => /^Microsoft (Corporation )?UEFI CA/.test(subject))
    .map(({ der }) => der);
  return { ...files, microsoft };
}

const SHIM = 'usr/lib/shim/shimx64.efi.signed';
const MOK_MANAGER = 'usr/lib/shim/mmx64.efi.signed';
const GRUB = 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed';
const OVMF = 'usr/share/OVMF';

/** The keys in the firmware's lists, beside Microsoft's in db, by which shim starts. */
export interface FirmwareKeys {
  readonly owner: Buffer;
  readonly db?: readonly Buffer[];
  /** Whole lists (signatureListOf). */
  readonly dbx?: Buffer;
}

/** A store with Secure Boot on and these further variables: shim's, mostly. */
export function secureStore(firmware: Firmware, keys: FirmwareKeys, others: readonly Variable[] = []): Buffer {
  const { owner, db = [], dbx = Buffer.alloc(0) } = keys;
  const platform = signatureListOf([owner], OWNER);
  const lists = { pk: platform, kek: platform, db: signatureListOf([...firmware.microsoft, ...db], OWNER), dbx };
  return variableStore(emptyStore(firmware), [
    ...secureBootVariables(lists).filter(({ value }) => value.length > 0),
    ...others,
  ]);
}

/** A store in setup mode: nothing is enforced. */
export function emptyStore({ root }: Firmware): Buffer {
  return readFileSync(join(root, OVMF, 'OVMF_VARS_4M.fd'));
}

/** How boot() starts a machine with that store in `file`, which the machine changes: `boot(image, secureMachine(firmware, file))`. */
export function secureMachine(firmware: Firmware, file: string): Pick<MachineOptions, 'type' | 'cpus' | 'firmware'> {
  return {
    // Only code of the firmware's in system management mode writes the flash.
    type: 'q35,smm=on',
    cpus: 1,
    firmware: (parts) => [
      '-global',
      'driver=cfi.pflash01,property=secure,value=on',
      '-drive',
      `if=pflash,format=raw,unit=0,readonly=on,file=${join(firmware.root, OVMF, 'OVMF_CODE_4M.secboot.fd')}`,
      '-drive',
      `if=pflash,format=raw,unit=1,file=${file}`,
      '-drive',
      `if=none,id=esp,format=raw,readonly=on,file=fat:${systemPartition(firmware, parts)}`,
      '-device',
      'virtio-blk-pci,drive=esp,bootindex=1',
    ],
  };
}

/** The EFI system partition as a folder: shim where the firmware looks, MokManager and GRUB beside it, its configuration, the kernel. */
function systemPartition({ root }: Firmware, { folder, kernel, initrd, commandLine }: StartParts): string {
  const esp = join(folder, 'esp');
  place(join(root, SHIM), join(esp, 'EFI/BOOT/BOOTX64.EFI'));
  place(join(root, MOK_MANAGER), join(esp, 'EFI/BOOT/mmx64.efi'));
  place(join(root, GRUB), join(esp, 'EFI/BOOT/grubx64.efi'));
  place(kernel, join(esp, 'vmlinuz'));
  place(initrd, join(esp, 'initrd.img'));
  mkdirSync(join(esp, 'EFI/debian'));
  writeFileSync(
    join(esp, 'EFI/debian/grub.cfg'),
    [
      'search --no-floppy --set=root --file /vmlinuz',
      `linux /vmlinuz ${commandLine}`,
      'initrd /initrd.img',
      'boot',
      '',
    ].join('\n'),
  );
  return esp;
}

/** A file at another path; a link where the disk is the same. */
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (existsSync(to)) return;
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
