/** plugd's command line. No logic of its own: commands/ does the work. */
import { COMMANDS, describeAll, DKMS_COMMANDS, HIDDEN_COMMANDS, KMOD_COMMANDS } from './commands/command-table.ts';
import { exitStatus, runProgram } from './commands/program.ts';
import { VERSION } from './base/version.ts';

const PLUGD = {
  name: 'plugd',
  version: `plugd ${VERSION}`,
  commands: COMMANDS,
  hidden: HIDDEN_COMMANDS,
  applets: [
    { heading: "kmod's commands, option for option", entries: KMOD_COMMANDS },
    { heading: 'dkms, option for option', entries: DKMS_COMMANDS },
  ],
  describe: describeAll,
};

// An exception in a callback ends plugd as one in a command does.
process.on('uncaughtException', (error) => process.exit(exitStatus(error)));
// commands/output.ts writes all output synchronously, so nothing is lost; a hanging insertion must not keep plugd from ending.
runProgram(PLUGD, process.argv).then(
  (status) => process.exit(status),
  (error: unknown) => process.exit(exitStatus(error)),
);
