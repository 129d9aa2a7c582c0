/** `post_transaction` of framework.conf: a command that runs after modules were installed or removed. */
import { spawnSync } from 'node:child_process';
import { CLOCK } from '../../base/clock.ts';
import { reason } from '../../base/error.ts';
import { openCommandLog, type MakeLog } from '../build/make-log.ts';
import type { DkmsKernel } from '../tree/dkms-places.ts';
import type { DkmsSession } from './session.ts';

/** Runs the command for a kernel, if there is one; its output goes to `post_transaction.log` in the DKMS tree. */
export function runPostTransaction(session: DkmsSession, kernel: DkmsKernel): void {
  const { trees, tell } = session;
  const command = session.postTransaction(kernel);
  if (command === '') return;
  const path = `${trees.dkmsTree}/post_transaction.log`;
  let log: MakeLog;
  try {
    log = openCommandLog(path);
  } catch (error) {
    tell({ kind: 'write-failed', file: path, why: reason(error) });
    return;
  }
  const from = CLOCK.now();
  tell({ kind: 'post-transaction' });
  log.begin('Executing post-transaction command', command);
  const { status } = spawnSync('bash', ['-c', command], { stdio: ['ignore', log.fd, log.fd] });
  log.end(status ?? 126, (CLOCK.now() - from) / 1000);
  log.close();
  tell({ kind: 'post-transaction-done', status: status ?? 126 });
}
