/**
 * The variables of the firmware and of shim, from efivarfs; reads only. A variable's file is four bytes of attributes, then its value:
 *
 *     /sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23
 *
 * shim's lists may be longer than a variable: then the whole is in /sys/firmware/efi/mok-variables, without attributes.
 *
 * Sources: Documentation/filesystems/efivarfs.rst, drivers/firmware/efi/mokvar-table.c, shim's MokVars.txt.
 */
import type { Host } from '../../base/host.ts';
import { readNames } from '../attribute.ts';
import { readRegularFile } from '../regular-file.ts';

/** The namespaces of variables: the specification's own, the signature databases', shim's. */
export const EFI_GUID = {
  global: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  database: 'd719b2cb-3d3a-4596-a3bc-dad00e67656f',
  shim: '605dab50-e046-4300-abb6-3dd810dd8b23',
} as const;
export type EfiNamespace = keyof typeof EFI_GUID;

const ATTRIBUTES = 4;
/** More than the variables of any firmware take together. */
const LIMIT = 4 << 20;

/** Whether the machine was started by EFI, and whether its variables can be seen (efivarfs is mounted). */
export function efiPresence({ sysfs }: Host): 'none' | 'no-variables' | 'variables' {
  if (readNames(`${sysfs}/firmware/efi`).length === 0) return 'none';
  return readNames(variablesFolder(sysfs)).length === 0 ? 'no-variables' : 'variables';
}

/** A variable's file: `efiVariablePath(host, 'shim', 'MokNew')`. */
export function efiVariablePath({ sysfs }: Host, namespace: EfiNamespace, name: string): string {
  return `${variablesFolder(sysfs)}/${name}-${EFI_GUID[namespace]}`;
}

/** A variable's value; undefined when it is not there or cannot be read. */
export function readEfiVariable(host: Host, namespace: EfiNamespace, name: string): Buffer | undefined {
  const read = readRegularFile('', efiVariablePath(host, namespace, name), LIMIT);
  return read.kind === 'bytes' && read.bytes.length >= ATTRIBUTES ? read.bytes.subarray(ATTRIBUTES) : undefined;
}

/** One of shim's lists as the kernel gets it (`MokListRT`), however long; undefined when it is not there or cannot be read. */
export function readShimList(host: Host, name: string): Buffer | undefined {
  const whole = readRegularFile('', `${host.sysfs}/firmware/efi/mok-variables/${name}`, LIMIT);
  return whole.kind === 'bytes' ? whole.bytes : readEfiVariable(host, 'shim', name);
}

/** The names of the variables of a namespace, without its GUID; empty when they cannot be listed. */
export function efiVariableNames({ sysfs }: Host, namespace: EfiNamespace): readonly string[] {
  const end = `-${EFI_GUID[namespace]}`;
  return readNames(variablesFolder(sysfs)).flatMap((name) => (name.endsWith(end) ? [name.slice(0, -end.length)] : []));
}

function variablesFolder(sysfs: string): string {
  return `${sysfs}/firmware/efi/efivars`;
}
