/**
 * A small tree, and the lines that plugd-lite runs on it before its heap is copied: what they make on the way (shapes, regular
 * expressions) is there at each start.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Missing } from './sources.mjs';

const FILES = {
  'lib/modules/0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/0/modules.alias': 'alias pci:v*d[0-9]* a\nalias p?i:v1d1 b\n',
  'lib/modules/0/kernel/a.ko': '',
  'lib/modules/0/kernel/b.ko': '',
  'etc/modprobe.d/a.conf': 'blacklist x\noptions b c=1\nsoftdep a pre: b\nalias q a\n',
};

/** Makes the tree, which may not be there; gives the lines. Errors: `Missing`. */
export function warmTree(folder) {
  try {
    mkdirSync(folder, 0o700);
  } catch (error) {
    throw new Missing(`${folder}: ${error.message}; where a build was killed, remove it.`);
  }
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const at = `--root ${folder} --kernel 0`;
  return [
    `modprobe -d ${folder} -S 0 -R pci:v1d1`,
    `modprobe -d ${folder} -S 0 -C ${folder}/etc/modprobe.d -n -v a`,
    `plugd-lite lookup ${at} pci:v1d1`,
  ];
}
