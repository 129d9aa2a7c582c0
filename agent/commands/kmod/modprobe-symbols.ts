/** `modprobe --show-exports` and `--show-modversions`. Reads module files; inserts nothing. */
import { ERRNO, errnoText } from '../../base/errno.ts';
import { statHere } from '../../base/root.ts';
import { moduleFile, moduleNameFromPath } from '../../base/names.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/**
 * Prints the symbols that a module file, or each module that a name stands for, exports (`--show-exports`), or the versions of
 * those it needs (`--show-modversions`): `0x26a24be4<TAB>hid_register_report`. Returns whether it succeeded.
 */
export function showSymbols(run: ModprobeRun, operand: string): boolean {
  const file = Buffer.from(operand, 'latin1');
  const isFile = statHere(file) !== undefined && moduleNameFromPath(operand) !== '';
  if (isFile) return showFile(run, file, operand);
  const paths = run.candidates(operand).flatMap(({ module }) => run.matcher.dependencies(module)?.path ?? []);
  if (paths.length === 0) {
    run.complain(`Module ${operand} not found.`);
    return false;
  }
  let fine = true;
  for (const path of paths) {
    fine = showFile(run, moduleFile(run.host, path), operand) && fine;
  }
  return fine;
}

function showFile(run: ModprobeRun, path: string | Buffer, operand: string): boolean {
  const exported = run.settings.action === 'show-exports';
  const opened = openModuleFile('', path);
  const symbols = opened.kind === 'not-a-module' ? [] : exported ? opened.exports() : opened.versions();
  if (opened.kind === 'module') opened.close();
  if (symbols.length === 0) {
    const errno = opened.kind === 'not-a-module' ? opened.errno : ERRNO.ENOENT;
    run.complain(`could not get ${exported ? 'symbols' : 'modversions'} of ${operand}: ${errnoText(errno)}`);
    return false;
  }
  const lines = symbols.map(({ crc, name }) => `0x${crc.toString(16).padStart(8, '0')}\t${name}\n`);
  run.applet.print(lines.join(''));
  return true;
}
