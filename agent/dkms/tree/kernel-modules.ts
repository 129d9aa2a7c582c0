/** Which of the kernel's modules a registered version is the source of. Reads dkms.conf and finished builds; runs nothing. */
import { moduleName, moduleNameFromPath, type ModuleName } from '../../base/names.ts';
import { isModuleFileName } from '../../facts/modfiles/module-file-name.ts';
import { readTextIn } from '../../facts/regular-file.ts';
import { DIRECTIVE_NAMES } from '../conf/conf-directives.ts';
import { parsePlainly } from '../conf/shell/plain-assignments.ts';
import { evaluatePlainly } from '../conf/shell/plain-evaluation.ts';
import { elementsOf } from '../conf/shell/shell-values.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { builtFolder, sourceFolder, type DkmsModule } from './dkms-places.ts';
import { buildsOf, namesIn } from './registry.ts';

const NAMES = ['DEST_MODULE_NAME', 'BUILT_MODULE_NAME'];
const QUESTION = { variables: {}, known: DIRECTIVE_NAMES, patterns: [], last: [] };

/**
 * The names of a version's modules: `kernelModules(trees, { name: 'digimend', version: '10' })` → `['hid_kye', …]`. They are those that were
 * built for any kernel, and those that lines of dkms.conf plainly give; the package's own name when nothing gives one.
 */
export function kernelModules(trees: DkmsTrees, module: DkmsModule): readonly ModuleName[] {
  const named = [...builtFiles(trees, module).map(moduleNameFromPath), ...namesOfConf(trees, module)];
  return named.length === 0 ? [moduleName(module.name)] : [...new Set(named)];
}

/** The module files of all builds of a version, by kernel: `/var/lib/dkms/NAME/VERSION/6.1.0/x86_64/module/demo.ko`. */
export function builtFiles(trees: DkmsTrees, module: DkmsModule): readonly string[] {
  return buildsOf(trees, module).flatMap(({ kernel }) => {
    const folder = `${builtFolder(trees, module, kernel)}/module`;
    return namesIn(folder)
      .filter(isModuleFileName)
      .map((name) => `${folder}/${name}`);
  });
}

/** What lines that need no shell say: bash would run the package's own commands. */
function namesOfConf(trees: DkmsTrees, module: DkmsModule): readonly ModuleName[] {
  const text = readTextIn('', `${sourceFolder(trees, module)}/dkms.conf`);
  const plain = (text ?? '').split('\n').filter((line) => parsePlainly(line) !== undefined);
  const own = plain.filter((line) => line.startsWith('PACKAGE_'));
  return plain
    .filter((line) => NAMES.some((name) => line.startsWith(name)))
    .flatMap((line) => {
      const values = evaluatePlainly([[...own, line].join('\n')], QUESTION, () => [])?.values;
      return values === undefined ? [] : NAMES.flatMap((name) => elementsOf(values, name).map(([, value]) => value));
    })
    .map((value) => moduleName(value));
}
