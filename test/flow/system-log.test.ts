import { join } from 'node:path';
import t from 'tap';
import { refusesStandIns, runWithStandIns } from '../fixtures/confinement/own-mounts.ts';

const bundle = join(import.meta.dirname, '../../plugd.cjs');

// Node has no unix datagram sockets: python3, which building the addon needs anyway, stands in for syslogd.
const LISTEN_AND_RUN = `
import socket, subprocess, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind('/dev/log')
status = subprocess.run(sys.argv[1:]).returncode
log.settimeout(0)
sys.stdout.buffer.write(log.recv(4096))
sys.exit(status)`;

const skip = (await refusesStandIns()) ?? false;

t.test('modprobe -s writes a name to the system log as it was given', { skip }, async (t) => {
  const command = ['python3', '-c', LISTEN_AND_RUN, process.execPath, bundle, 'modprobe', '-s', '-d', t.testdir({})];
  const rows: ReadonlyArray<readonly [rule: string, name: string]> = [
    ['ASCII', 'no-such-module'],
    ['text that is not ASCII is not encoded a second time', 'kein-mödul-größe'],
  ];
  for (const [rule, name] of rows) {
    const { status, stdout, stderr } = await runWithStandIns({ '/dev': t.testdir({}) }, [...command, name]);
    t.equal(status, 1, rule);
    t.equal(stderr, '', 'nothing on standard error');
    t.match(
      stdout,
      new RegExp(`^<26>\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d modprobe: FATAL: Module ${name} not found`),
      rule,
    );
  }
});
