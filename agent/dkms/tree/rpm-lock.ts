/**
 * --rpm_safe_upgrade: rpm installs a new package before it removes the old one, and both may have one name and version. `add` leaves a note
 * for its grand-parent, the rpm; a `remove` by the same rpm finds it and does nothing.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { processFields } from '../../facts/kernel/procfs.ts';
import type { DkmsModule } from './dkms-places.ts';

const PREFIX = 'dkms_rpm_safe_upgrade_lock';

/** Leaves the note in `folder` (`/tmp`): the module, and when the grand-parent began. */
export function noteUpgrade(folder: string, { name, version }: DkmsModule): void {
  const parent = grandParent();
  const file = `${folder}/${PREFIX}.${parent.pid}.${randomBytes(3).toString('hex')}`;
  writeFileSync(file, `${name}-${version}\n${parent.began}\n`, { flag: 'wx', mode: 0o600 });
}

/** Whether the same rpm left a note about the module; the note is taken away. */
export function takeUpgradeNote(folder: string, { name, version }: DkmsModule): boolean {
  const parent = grandParent();
  for (const file of readdirSync(folder).filter((each) => each.startsWith(`${PREFIX}.${parent.pid}.`))) {
    const lines = readLines(`${folder}/${file}`);
    if (lines[0] !== `${name}-${version}` || lines[1] !== parent.began) continue;
    rmSync(`${folder}/${file}`, { force: true });
    return true;
  }
  return false;
}

/** The process that called the script which called dkms, and the clock tick at which it began, so that a reused number is not taken for it. */
function grandParent(): { readonly pid: string; readonly began: string } {
  const pid = processFields('/proc', String(process.ppid))[1] ?? '0';
  return { pid, began: processFields('/proc', pid)[19] ?? '' };
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\n');
  } catch {
    return [];
  }
}
