/** `plugd insmod`: inserts one file as kmod does. Reads no configuration. */
import { statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import { fromMachineText, nativePath } from '../../base/machine-text.ts';
import { readKernelCompression } from '../../facts/kernel/kernel-state.ts';
import { insertModule } from '../../insert/insertion.ts';
import { machineWords } from '../machine-words.ts';
import { appletCommand, LEVEL, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';
import { joinParameters } from './parameters.ts';

const USAGE: AppletUsage = {
  name: 'insmod',
  forms: ['[OPTION...] FILE [PARAMETER=VALUE...]'],
  about: 'Inserts one module file, without what it needs and without configuration.',
  options: [
    {
      short: 'f',
      long: 'force',
      help: 'both of the next; a module of another kernel may well bring this one down',
    },
    { long: 'force-modversion', help: 'insert in spite of other symbol versions' },
    { long: 'force-vermagic', help: 'insert in spite of another version magic' },
    APPLET_OPTION.syslog,
    APPLET_OPTION.verbose,
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
};

/** insmod's own texts for these errors of the kernel. */
const TEXTS: Readonly<Record<number, string>> = {
  [ERRNO.ENOENT]: 'Unknown symbol in module',
  [ERRNO.ESRCH]: 'Module has wrong symbol version',
  [ERRNO.ENOEXEC]: 'Invalid module format',
  [ERRNO.EINVAL]: 'Invalid parameters',
};
/** kmod reads this many bytes to find a file's compression, and refuses shorter files. */
const SHORTEST = 6;

async function main(applet: Applet, words: readonly string[]): Promise<number> {
  const force = { modversions: false, vermagic: false };
  applet.level = LEVEL.error;
  const [path, ...parameters] = applet.start(USAGE, words, (name) => {
    if (name === 'verbose') applet.level++;
    if (name === 'force' || name === 'force-modversion') force.modversions = true;
    if (name === 'force' || name === 'force-vermagic') force.vermagic = true;
  });
  if (path === undefined) return applet.fail('missing filename.');
  if (path === '-') return applet.fail('this tool does not support loading from stdin!');
  const [shown = path] = machineWords([path]);
  let size: number;
  try {
    size = statSync(nativePath(shown)).size;
  } catch (error) {
    return applet.fail(`could not load module ${shown}: ${errnoText(errnoOf(error, ERRNO.EINVAL))}`);
  }
  const params = joinParameters(machineWords(parameters));
  const refused = (errno: number, why?: string): never => {
    const reason = why === undefined ? '' : ` (${why})`;
    return applet.fail(`could not insert module ${shown}: ${TEXTS[errno] ?? errnoText(errno)}${reason}`);
  };
  if (size < SHORTEST) return refused(ERRNO.EINVAL);
  const insertion = await insertModule({
    root: '',
    path: fromMachineText(shown),
    params,
    force,
    kernelCompression: readKernelCompression('/sys'),
  });
  if (insertion.kind === 'inserted') return 0;
  return insertion.kind === 'already-loaded' ? refused(ERRNO.EEXIST) : refused(insertion.errno, insertion.why);
}

/** `plugd insmod`. */
export const command = appletCommand(USAGE, main);
