/** `plugd agent`: reads its options and runs daemon/agent.ts. */
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { addon } from '../../base/addon.ts';
import { runAgent } from '../../daemon/agent.ts';
import { RUN_DIR } from '../../daemon/control/run-dir.ts';
import { POLICY_FILE } from '../../daemon/policy-file.ts';
import {
  EXIT,
  HOST_OPTIONS,
  hostOf,
  noArguments,
  OPTION,
  parse,
  wholeNumber,
  type Command,
  type Option,
} from '../command.ts';
import { sayInTime } from '../output.ts';
import { DAEMON_FDS, DAEMON_VARIABLE, sayReady, startDaemon } from './background.ts';
import { BOOT_LISTS, dialectsOf } from './boot-lists-option.ts';
import { JOBS, jobsOf } from './jobs.ts';
import { METRICS_LISTEN, metricsOf } from './metrics-listen.ts';
import { RUN_DIR_OPTION } from './run-dir.ts';

const SERVE: Option = {
  long: 'serve-kernel-requests',
  help: 'answer what the kernel itself asks for: set /proc/sys/kernel/modprobe, and put it back at the end',
};
const POLICY: Option = { long: 'policy', value: 'FILE', help: `what may be loaded (default ${POLICY_FILE})` };
const POLICY_OPTIONAL: Option = { long: 'policy-optional', help: 'start without a policy that has errors' };
const BUFFER: Option = {
  long: 'receive-buffer',
  value: 'BYTES',
  help: "size of the uevent socket's buffer (default 128 MiB)",
};
const DAEMON: Option = {
  long: 'daemon',
  help: 'run in the background, and return once the agent listens; the log goes to standard output if that is a file',
};
const READY_FD: Option = {
  long: 'ready-fd',
  value: 'N',
  help: 'write a line to this descriptor once the agent listens, and close it (s6, dinit)',
};

/** `plugd agent`. */
export const command: Command = {
  name: 'agent',
  usage: '[OPTION…]',
  options: [
    SERVE,
    JOBS,
    BOOT_LISTS,
    POLICY,
    POLICY_OPTIONAL,
    BUFFER,
    DAEMON,
    READY_FD,
    METRICS_LISTEN,
    RUN_DIR_OPTION,
    OPTION.verbose,
    OPTION.quiet,
    ...HOST_OPTIONS,
  ],
  notes: `
It logs a line of JSON to standard output for each module that it inserts, that
the kernel refuses or that a rule blocks; -v adds one for each uevent, -q leaves
only warnings. SIGHUP reloads, SIGTERM ends it. systemd/plugd.service runs it as
a service. plugd settle waits for an agent that is just starting.
Exit status: 0 ended; 1 cannot run here; 2 the policy has errors.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const readyFd = parsed.value(READY_FD);
    const ready = readyFd === undefined ? undefined : wholeNumber(READY_FD, readyFd, 1, 2 ** 16);
    const metrics = metricsOf(parsed);
    const isDaemon = process.env[DAEMON_VARIABLE] !== undefined;
    delete process.env[DAEMON_VARIABLE];
    if (parsed.has(DAEMON) && !isDaemon) {
      const status = await startDaemon(args);
      if (status === EXIT.done && ready !== undefined) sayReady(ready);
      return status;
    }
    // An agent lives for months and is idle. In a storm of uevents V8 lets its young generation grow sixteenfold and never shrinks it
    // (120 MiB instead of 85 after 200,000 of them), though an agent's objects die young. And V8's optimizing compiler alone takes
    // 4 MiB, for code that is no faster: system calls and garbage collection make up the cost of a uevent.
    addon().setV8Flags('--semi-space-growth-factor=1 --no-opt');
    const buffer = parsed.value(BUFFER);
    const { isJournal, openLog } = await import('../../report/logging/log.ts');
    const { JOURNAL_SOCKET } = await import('../../report/logging/journal-entry.ts');
    // Nobody may read what it writes: not even then may it wait.
    sayInTime(isDaemon ? DAEMON_FDS.messages : 2);
    const log = openLog({
      fd: 1,
      level: parsed.has(OPTION.verbose) ? 'debug' : parsed.has(OPTION.quiet) ? 'warn' : 'info',
      journald: isJournal(1, process.env),
      sendEntry: (datagram) => addon().notify(JOURNAL_SOCKET, datagram) === 0,
    });
    // Node writes its warnings to standard error, and waits.
    process.removeAllListeners('warning');
    process.on('warning', ({ message }) => log.line('warn', message, { event: 'warning' }));
    try {
      await runAgent({
        host: hostOf(parsed),
        jobs: jobsOf(parsed),
        runDir: resolve(parsed.value(RUN_DIR_OPTION) ?? RUN_DIR),
        log,
        env: process.env,
        receiveBuffer: buffer === undefined ? undefined : wholeNumber(BUFFER, buffer, 1, 2 ** 30),
        metrics,
        serveKernelRequests: parsed.has(SERVE),
        policyFile: resolve(parsed.value(POLICY) ?? POLICY_FILE),
        policyOptional: parsed.has(POLICY_OPTIONAL),
        bootLists: parsed.has(BOOT_LISTS) ? (dialectsOf(parsed) ?? 'all') : undefined,
        listening: () => {
          if (isDaemon) leaveStarter();
          else if (ready !== undefined) sayReady(ready);
        },
      });
    } finally {
      await log.close();
    }
    return EXIT.done;
  },
};

/** A daemon listens: its starter may go, and nothing of it is held on to. */
function leaveStarter(): void {
  process.chdir('/');
  sayInTime();
  closeSync(DAEMON_FDS.messages);
  sayReady(DAEMON_FDS.ready);
}
