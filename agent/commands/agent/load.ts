/** `plugd load --boot-lists`: reads its options, runs load/boot-lists.ts and prints the result. */
import { PlugdError } from '../../base/error.ts';
import { loadBootLists } from '../../load/boot-lists.ts';
import { hasFailedLists } from '../../records/boot-list-run.ts';
import { bootListText } from '../../report/boot/boot-list-text.ts';
import { EXIT, HOST_OPTIONS, hostOf, noArguments, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, terminalAt } from '../output.ts';
import { BOOT_LISTS, dialectsOf } from './boot-lists-option.ts';
import { JOBS, jobsOf } from './jobs.ts';

const STRICT: Option = { long: 'strict', help: 'fail for entries that name nothing, too' };
const IN_ORDER: Option = { long: 'in-order', help: 'one entry after the other, as they are listed' };

/** `plugd load`. */
export const command: Command = {
  name: 'load',
  usage: '--boot-lists[=DIALECT,...] [OPTION…]',
  options: [BOOT_LISTS, IN_ORDER, STRICT, OPTION.dryRun, JOBS, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
Dialects: kernel-command-line (modules_load=), modules-load.d, etc-modules,
openrc, rancher, k3os, talos, initramfs-tools (only when it is named).
-n needs no root and changes nothing; -v also shows what is there already.
Exit status: 0 done, whatever did not exist or was blacklisted; 1 the kernel
refused a module, or a list could not be read.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    if (!parsed.has(BOOT_LISTS))
      throw new PlugdError('usage', 'load takes --boot-lists', { remedy: 'modprobe loads a module by its name' });
    const host = hostOf(parsed);
    const dryRun = parsed.has(OPTION.dryRun);
    const run = await loadBootLists({
      host,
      jobs: jobsOf(parsed),
      dryRun,
      dialects: dialectsOf(parsed),
      inOrder: parsed.has(IN_ORDER),
      explain: async (sources, records) =>
        (await import('../../explain/failure.ts')).explainFailures(host, sources, records),
    });
    if (!parsed.has(OPTION.quiet)) print(bootListText(run, terminalAt(1), parsed.has(OPTION.verbose)));
    return hasFailedLists(run, parsed.has(STRICT)) ? EXIT.negative : EXIT.done;
  },
};
