/**
 * A small tree, and the lines that plugd-lite runs on it before its heap is copied: what they make on the way (shapes, regular
 * expressions) is there at each start.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Missing } from '../../recipes/build-tool.mjs';

const FILES = {
  'lib/modules/0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/0/modules.alias': 'alias pci:v*d[0-9]* a\nalias p?i:v1d1 b\n',
  'lib/modules/0/kernel/a.ko': '',
  'lib/modules/0/kernel/b.ko': '',
  'proc/modules': '',
  'proc/cmdline': 'quiet a.c=1\n',
  'sys/devices/x/1/uevent': 'DRIVER=x\nMODALIAS=pci:v1d1\n',
  'sys/devices/x/2/uevent': 'MODALIAS=pci:v2d2\n',
  'sys/module/x/uevent': '',
  'etc/modprobe.d/a.conf': 'blacklist x\noptions b c=1\nsoftdep a pre: b\nalias q a\n',
};

const LINKS = {
  'sys/bus/pci/devices/1': '../../../devices/x/1',
  'sys/bus/pci/devices/2': '../../../devices/x/2',
};

/** How often, and ms in between: another build has the folder for some seconds. */
const TRIES = 600;
const PAUSE = 100;

/** Whether the folder is this build's now. */
function take(folder) {
  try {
    mkdirSync(folder, 0o700);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new Missing(`${folder}: ${error.message}.`);
  }
}

/** Makes the tree, waiting for another build's; gives the lines. Errors: `Missing`. */
export function warmTree(folder) {
  for (let tries = 1; !take(folder); tries++) {
    if (tries === TRIES) throw new Missing(`${folder} exists; where a build was killed, remove it.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  }
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const [path, target] of Object.entries(LINKS)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(target, join(folder, path));
  }
  const at = `--root ${folder} --kernel 0`;
  return [
    `modprobe -d ${folder} -S 0 -R pci:v1d1`,
    `modprobe -d ${folder} -S 0 -C ${folder}/etc/modprobe.d -n -v a`,
    `plugd-lite lookup ${at} pci:v1d1`,
    `plugd-lite coldplug -n -q ${at} --sysfs ${folder}/sys --proc ${folder}/proc`,
  ];
}
