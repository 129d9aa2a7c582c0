import { statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import { readKernelCompression } from '../../facts/kernel/kernel-state.ts';
import { insertModule } from '../../insert/insertion.ts';
import type { Command } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print } from '../output.ts';
import { LEVEL, printVersion, runApplet, type Applet } from './applet.ts';
import type { LongOption } from './getopt.ts';
import { joinParameters } from './parameters.ts';

const OPTIONS: readonly LongOption[] = [
  { short: 'f', long: 'force' },
  { long: 'force-modversion' },
  { long: 'force-vermagic' },
  { short: 's', long: 'syslog' },
  { short: 'v', long: 'verbose' },
  { short: 'V', long: 'version' },
  { short: 'h', long: 'help' },
];

const HELP = `usage: insmod [OPTION…] FILE [PARAMETER=VALUE…]

Inserts one module file, without what it needs and without configuration.

  -f, --force              both of the next; a module of another kernel may
                           well bring this one down
      --force-modversion   insert in spite of other symbol versions
      --force-vermagic     insert in spite of another version magic
  -s, --syslog             messages go to the system log
  -v, --verbose            more messages
  -V, --version            print the version
  -h, --help               print this
`;

/** insmod's own words for what the kernel means by these. */
const TEXTS: Readonly<Record<number, string>> = {
  [ERRNO.ENOENT]: 'Unknown symbol in module',
  [ERRNO.ESRCH]: 'Module has wrong symbol version',
  [ERRNO.ENOEXEC]: 'Invalid module format',
  [ERRNO.EINVAL]: 'Invalid parameters',
};
/** kmod looks at so many bytes to see how a file is compressed, and refuses shorter ones. */
const SHORTEST = 6;

async function main(applet: Applet, words: readonly string[]): Promise<number> {
  const force = { modversions: false, vermagic: false };
  applet.level = LEVEL.error;
  const { options, operands } = applet.parse(OPTIONS, words);
  for (const { name } of options) {
    if (name === 'help') {
      print(HELP);
      return 0;
    }
    if (name === 'version') {
      printVersion();
      return 0;
    }
    if (name === 'syslog') applet.syslog = true;
    else if (name === 'verbose') applet.level++;
    if (name === 'force' || name === 'force-modversion') force.modversions = true;
    if (name === 'force' || name === 'force-vermagic') force.vermagic = true;
  }
  const [path, ...parameters] = operands;
  if (path === undefined) {
    applet.error('missing filename.');
    return 1;
  }
  if (path === '-') {
    applet.error('this tool does not support loading from stdin!');
    return 1;
  }
  const [shown = path] = machineWords([path]);
  let size: number;
  try {
    size = statSync(path).size;
  } catch (error) {
    applet.error(`could not load module ${shown}: ${errnoText(errnoOf(error, ERRNO.EINVAL))}`);
    return 1;
  }
  const params = joinParameters(machineWords(parameters));
  const refused = (errno: number, why?: string): number => {
    const reason = why === undefined ? '' : ` (${why})`;
    applet.error(`could not insert module ${shown}: ${TEXTS[errno] ?? errnoText(errno)}${reason}`);
    return 1;
  };
  if (size < SHORTEST) return refused(ERRNO.EINVAL);
  const insertion = await insertModule({ path, params, force, kernelCompression: readKernelCompression('/sys') });
  if (insertion.kind === 'inserted') return 0;
  return insertion.kind === 'already-loaded' ? refused(ERRNO.EEXIST) : refused(insertion.errno, insertion.why);
}

export const command: Command = {
  name: 'insmod',
  summary: 'insert one module file',
  usage: '[OPTION…] FILE [PARAMETER=VALUE…]',
  run: async (words) => runApplet('insmod', async (applet) => main(applet, words)),
};
