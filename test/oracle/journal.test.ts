/** systemd's journald judges the log's entries: it finds them by their fields, and one that is stuck stops nobody. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandPath } from '../fixtures/commands.ts';

const JOURNALD = '/usr/lib/systemd/systemd-journald';
const dist = join(import.meta.dirname, '../..');

function missing(): string | undefined {
  if (!existsSync(JOURNALD) || commandPath('journalctl') === undefined) return 'systemd is not there';
  const tried = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/run'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : `a mount namespace cannot be had: ${tried.stderr.trim()}`;
}
const why = missing();

/** Writes lines as the agent does under journald. */
const WRITER = `
  import { openLog } from '${dist}/agent/report/logging/log.js';
  import { JOURNAL_SOCKET } from '${dist}/agent/report/logging/journal-entry.js';
  import { addon } from '${dist}/agent/base/addon.js';
  const sendEntry = (datagram) => addon().notify(JOURNAL_SOCKET, datagram) === 0;
  const log = openLog({ fd: 1, level: 'info', journald: true, sendEntry });
  const [what, count] = process.argv.slice(1);
  for (let i = 0; i < Number(count); i++) {
    log.line('info', 'inserted ' + what, { event: 'inserted', module: what, device: '/devices/' + i, waitMs: 1.5 });
  }
  if (what === 'large') log.line('warn', 'large', { module: 'large', evidence: ['x'.repeat(500_000)] });
  await log.close();
`;

/** $1: node, $2: the writer. journald has a /run of its own. */
const SCRIPT = `
  mount -t tmpfs none /run && mkdir -p /run/log/journal || exit 1
  ${JOURNALD} & journald=$!
  trap 'kill -9 $journald' EXIT
  until [ -S /run/systemd/journal/socket ] && [ -n "$(ls /run/log/journal)" ]; do
    kill -0 $journald || exit 3
    sleep 0.1
  done
  write() { "$node" --input-type=module -e "$writer" "$@"; }
  find() { journalctl -D /run/log/journal --no-pager -o cat "$@"; }
  node=$1 writer=$2
  write e1000e 2; write ahci 1
  until [ "$(find PLUGD_EVENT=inserted | wc -l)" -ge 3 ]; do sleep 0.1; done
  echo "e1000e $(find PLUGD_MODULE=e1000e | wc -l)"
  echo "device $(find PLUGD_DEVICE=/devices/1 | grep -c '"module":"e1000e"')"
  echo "identifier $(find -t plugd PRIORITY=6 PLUGD_WAIT_MS=1.5 | wc -l)"
  echo "too large for one: $(write large 0 | grep -c '^<4>{.*"module":"large"')"
  kill -STOP $journald
  echo "stuck: $(write stuck 5000 | grep -c '^<6>{.*"module":"stuck"')"
  kill -KILL $journald; rm /run/systemd/journal/socket
  echo "missing: $(write gone 3 | grep -c '^<6>{.*"module":"gone"')"
`;

t.test(
  'entries are found by their fields; without journald the lines go on',
  why === undefined ? {} : { skip: why },
  (t) => {
    const args = ['-m', 'sh', '-c', SCRIPT, 'sh', process.execPath, WRITER];
    const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 120_000 });
    if (status === 3) {
      t.pass('journald does not run here', { skip: `journald does not run here: ${stderr.trim()}` });
      t.end();
      return;
    }
    const [stuck = ''] = /stuck: \d+/.exec(stdout) ?? [];
    t.same(
      stdout.split('\n').filter((line) => line !== stuck),
      ['e1000e 2', 'device 1', 'identifier 3', 'too large for one: 1', 'missing: 3', ''],
      stderr,
    );
    const left = Number(stuck.slice('stuck: '.length));
    t.ok(left > 0 && left <= 5000, `what a stuck journald does not take is written: ${stuck}`);
    t.equal(status, 0);
    t.end();
  },
);
