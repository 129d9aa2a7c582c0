/**
 * What dkms must stand for longer than `npm test` may take:
 *
 *     npm run soak:dkms -- [--kills N] [--seed N] [--pages N] [--step N] [install | remove | autoinstall | together | disk]…
 *
 * N kills of each of install, remove and autoinstall (20), at moments that the seed chooses; five actions on a disk with each number of free
 * pages from 0 to N (40), or each N-th; two packages and a kernel's hook at once. Words choose among these. Prints what is wrong; exits
 * with 1 when something is.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { canMount, killed, makeFolder, together, VICTIMS } from './chaos.ts';
import { system } from './made-up-system.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    pages: { type: 'string', default: '40' },
    step: { type: 'string', default: '1' },
  },
});
const isWanted = (name: string) => positionals.length === 0 || positionals.includes(name);
const home = mkdtempSync(join(tmpdir(), 'plugd-soak-dkms-'));
let broken = 0;
let made = 0;

const make = () => system({ testdir: (content) => makeFolder(join(home, `${made++}`), content ?? {}) });

function show(what: string, faults: readonly string[]): void {
  broken += faults.length;
  console.log(`${faults.length === 0 ? 'ok    ' : 'BROKEN'} ${what}`);
  for (const fault of faults) console.log(`    ${fault}`);
}

try {
  for (const victim of VICTIMS.filter(({ name }) => isWanted(name)))
    show(
      `${values.kills} kills of ${victim.name}, seed ${values.seed}`,
      await killed(make, victim, Number(values.kills), Number(values.seed)),
    );
  if (isWanted('together')) show("two packages and a kernel's hook at once", await together(make));
  if (isWanted('disk') && canMount()) {
    const folder = join(home, 'disk');
    mkdirSync(folder);
    const program = [join(import.meta.dirname, 'chaos-disk.js'), folder, values.pages, values.step];
    const { stdout } = spawnSync('unshare', ['--mount', '--propagation', 'private', process.execPath, ...program], {
      encoding: 'utf8',
    });
    show(
      `a full disk, up to ${values.pages} free pages`,
      JSON.parse(stdout || '["it did not run"]') as readonly string[],
    );
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = broken === 0 ? 0 : 1;
