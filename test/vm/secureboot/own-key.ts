/**
 * The way of a key from nothing to a loaded module, as people go it: no key, made, asked for, enrolled by MokManager, trusted. Two boots:
 * the second begins with MokManager's blue screen, at whose console the password is typed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { EFI_GUID } from '../../../agent/facts/efi/efi-variables.ts';
import { DKMS_MOK } from '../../../agent/trust/mok-files.ts';
import type { Machine } from '../machine/machine.ts';
import { CARRIED_KEY, dkmsModule } from './dkms-module.ts';
import { bootAndEnrol } from './mok-manager.ts';
import { bootStore, type Laboratory } from './laboratory.ts';
import { labPath } from './lab-keys.ts';
import { storedVariable } from './variable-store.ts';

const PASSWORD = 'geheim';
/** Signed in the machine. */
const OWN = '/root/own.ko';
const VARIABLES = '/sys/firmware/efi/efivars';

/**
 * Runs both boots. What is loaded at the end is a module that DKMS compiled, signed and installed for this kernel; where that cannot be
 * built, Debian's own without its signature.
 */
export async function ownKey(t: Test, lab: Laboratory, release: 'bookworm' | 'trixie'): Promise<void> {
  const hash = execFileSync('openssl', ['passwd', '-6', '-salt', 'saltsalt', PASSWORD]);
  const built = await dkmsModule(lab.image.tree, release);
  t.comment(built.kind === 'ready' ? built.log : `not compiled: ${built.sentence}`);
  const unsigned = lab.files[labPath('unsigned').slice(1)] ?? '';
  const dkms = built.kind === 'ready' ? built : undefined;
  const module = dkms?.path ?? OWN;
  const given = { ...dkms?.files, [OWN.slice(1)]: unsigned, 'root/hash': hash };
  await using first = await bootStore({ ...lab, files: { ...lab.files, ...given } }, []);
  const { machine, store } = first;
  // As after an installation.
  await machine.output('depmod', []);
  await says(t, machine, 'keys status', 1, /^There is no key[^]*plugd keys generate/);
  await says(t, machine, 'keys generate', 0, /^made/);
  await says(
    t,
    machine,
    `sign ${DKMS_MOK.key} ${DKMS_MOK.certificate} ${OWN}`,
    0,
    /^signed 1 module The key is not enrolled/,
  );
  // From here on the key is the one that DKMS made where it built the module.
  if (dkms !== undefined) await machine.output('sh', ['-c', `cp ${CARRIED_KEY}/* /var/lib/dkms/`]);
  await says(t, machine, 'keys status', 1, /^The key is not enrolled[^]*plugd keys enroll/);
  await says(
    t,
    machine,
    'doctor',
    0,
    /built here modules built here are refused: their key is not enrolled → .*plugd keys enroll/,
  );
  await says(
    t,
    machine,
    `test ${module}`,
    1,
    /DKMS module signing key[^]*failed \(signature\)[^]*plugd keys enroll --cert \/var\/lib\/dkms\/mok\.pub; reboot/,
  );
  t.notOk(await loads(machine, module), 'the kernel refuses it');

  await says(t, machine, 'keys enroll --hash-file /root/hash', 0, /^The key waits to be enrolled[^]*"Enroll MOK"/);
  const theirs = await request(machine);
  await machine.output('mokutil', ['--revoke-import']);
  t.equal((await machine.shell(`ls ${VARIABLES} | grep -E 'MokNew|MokAuth'`)).stdout, '', 'the request is taken back');
  await machine.output('rm', ['/usr/bin/mokutil']);
  await says(t, machine, 'keys enroll --hash-file /root/hash', 0, /^The key waits to be enrolled/);
  t.equal(await request(machine), theirs, 'without mokutil the variables are what mokutil writes');
  await says(t, machine, 'keys status', 1, /^The key waits to be enrolled\. Until then its modules are refused/);
  await says(t, machine, 'doctor', 0, /built here modules built here are refused until their key is enrolled/);
  await says(t, machine, `test ${module}`, 1, /its key waits to be enrolled[^]*reboot, and confirm the key/);
  const files = { [OWN]: await read(machine, OWN), ...(await keyFiles(machine)) };
  await machine.stop();

  const flash = readFileSync(store);
  const carried = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path.slice(1), bytes]));
  await using second = await bootAndEnrol(
    { ...lab, files: { ...lab.files, ...dkms?.files, ...carried } },
    flash,
    PASSWORD,
  );
  const [asked, enrolled] = [flash, readFileSync(second.store)].map((each) =>
    storedVariable(each, each === flash ? 'MokNew' : 'MokList'),
  );
  t.ok(asked !== undefined && enrolled?.equals(asked), "shim's list is what was asked for");
  await second.machine.output('depmod', []);
  await says(t, second.machine, 'keys status', 0, /^The kernel trusts the key \(\.machine\)/);
  await says(t, second.machine, 'doctor', 0, /built here modules built here load: the kernel trusts their key/);
  await says(t, second.machine, `test ${module}`, 0, /would be inserted/);
  await says(
    t,
    second.machine,
    `sign ${DKMS_MOK.key} ${DKMS_MOK.certificate} ${OWN}`,
    0,
    /trusts the key \(\.machine\)/,
  );
  t.ok(await loads(second.machine, OWN), 'the kernel takes it');
  if (dkms === undefined) return;
  await says(t, second.machine, `verify ${module}`, 0, /trusted/);
  t.ok(await loads(second.machine, module), 'the kernel takes what DKMS signed');
  await second.machine.output('sh', ['-c', `rmmod ${dkms.name} && modprobe ${dkms.name}`]);
  t.match(await second.machine.output('cat', ['/proc/modules']), /^plugd_own /m, 'by its name, too');
}

/** `plugd …` at 80 columns. */
async function says(t: Test, machine: Machine, line: string, status: number, wanted: RegExp): Promise<void> {
  const ended = await machine.shell(`plugd ${line}`, { env: { COLUMNS: '80' } });
  const text = `${ended.stdout}${ended.stderr}`;
  t.match(text.replace(/\s+/g, ' '), wanted, line);
  t.equal(ended.status, status, `${line}: status`);
  if (line === 'doctor') fitsScreen(t, text);
}

/** All that decides about modules built here stands in the last screen of a terminal of 80 columns and 24 lines, above the prompt. */
function fitsScreen(t: Test, text: string): void {
  t.comment(text);
  const lines = text.trimEnd().split('\n');
  t.same(
    lines.filter((line) => line.length > 80),
    [],
    'lines of at most 80 columns',
  );
  const titles = ['lockdown', 'Secure Boot', 'signatures', 'keys', 'owner keys', 'built here'];
  const screen = lines.slice(-23).join('\n');
  t.same(
    titles.filter((title) => !screen.includes(` ${title} `)),
    [],
    'in one screen',
  );
}

async function loads(machine: Machine, path: string): Promise<boolean> {
  return (await machine.shell(`insmod ${path}`)).status === 0;
}

/** The two variables, in hexadecimal. */
async function request(machine: Machine): Promise<string> {
  const both = ['MokNew', 'MokAuth'].map((name) => `${VARIABLES}/${name}-${EFI_GUID.shim}`);
  return machine.output('sh', ['-c', `for file in ${both.join(' ')}; do od -An -v -tx1 $file; echo; done`]);
}

async function keyFiles(machine: Machine): Promise<Record<string, Buffer>> {
  const { key, certificate } = DKMS_MOK;
  return { [key]: await read(machine, key), [certificate]: await read(machine, certificate) };
}

async function read(machine: Machine, path: string): Promise<Buffer> {
  return Buffer.from(await machine.output('base64', [path]), 'base64');
}
