import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import {
  EFI_GUID,
  efiPresence,
  efiVariableNames,
  readEfiVariable,
  readShimList,
} from '../../../agent/facts/efi/efi-variables.ts';

const sysfs = t.testdir({});
const host = openHost({ sysfs });
const efi = join(sysfs, 'firmware/efi');

t.test('variables by name and namespace', (t) => {
  t.equal(efiPresence(host), 'none');
  mkdirSync(join(efi, 'efivars'), { recursive: true });
  t.equal(efiPresence(host), 'no-variables');
  writeFileSync(join(efi, `efivars/MokListRT-${EFI_GUID.shim}`), Buffer.from('\x06\0\0\0value'));
  writeFileSync(join(efi, `efivars/db-${EFI_GUID.database}`), Buffer.from('\x06\0\0'));
  t.equal(efiPresence(host), 'variables');
  t.equal(readEfiVariable(host, 'shim', 'MokListRT')?.toString(), 'value', 'without its attributes');
  t.equal(readEfiVariable(host, 'database', 'MokListRT'), undefined, 'of another namespace');
  t.equal(readEfiVariable(host, 'database', 'db'), undefined, 'too short to be one');
  t.same(efiVariableNames(host, 'shim'), ['MokListRT']);
  t.equal(readShimList(host, 'MokListRT')?.toString(), 'value');
  mkdirSync(join(efi, 'mok-variables'));
  writeFileSync(join(efi, 'mok-variables/MokListRT'), 'the whole value');
  t.equal(readShimList(host, 'MokListRT')?.toString(), 'the whole value', 'where a variable is too small');
  t.end();
});
