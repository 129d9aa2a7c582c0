/**
 * Ends every process of a build, also those that have left it: a daemon that a Makefile starts, a compiler whose make was killed.
 *
 * A process belongs to a build if it is in the build's session, has the build's mark in its environment, or descends from one that
 * does. Only a program that starts a session *and* empties its environment escapes. This needs /proc and no privilege, so it works
 * in chroots and containers. The alternatives do not: a cgroup needs a delegated one, a pid namespace needs CAP_SYS_ADMIN and a /proc
 * of its own, and a subreaper has to wait for strangers, which node does for its own children only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { processFields } from '../../../facts/kernel/procfs.ts';

/** The variable that marks the processes of a build: `PLUGD_BUILD=4711-9f2c`. */
export const MARK = 'PLUGD_BUILD';

/** Passes over /proc before giving up: each may meet a process that one killed in the pass before had just started. */
const MOST_PASSES = 100;

/**
 * Kills (SIGKILL) all processes of a build: those of the session that `leader` began, those with the mark, and what they started.
 * Returns when a pass over /proc finds none, and how many were killed. Without /proc only the process group is.
 */
export function sweepProcesses(leader: number, mark: string, proc = '/proc'): number {
  let killed = 0;
  if (kill(-leader)) killed += 1;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const found = processesOf(leader, mark, proc);
    if (found.length === 0) break;
    for (const pid of found) if (kill(pid)) killed += 1;
  }
  return killed;
}

/** The processes of a build that still run, by id. Those that have ended and wait for their parent do not count. */
export function processesOf(leader: number, mark: string, proc = '/proc'): readonly number[] {
  const all = listProcesses(proc);
  const belongs = new Set(
    all
      .filter(({ pid, session }) => session === leader || environmentOf(proc, pid).includes(`${MARK}=${mark}\0`))
      .map(({ pid }) => pid),
  );
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parent } of all) {
      if (belongs.has(pid) || !belongs.has(parent)) continue;
      belongs.add(pid);
      grown = true;
    }
  }
  belongs.delete(process.pid);
  return [...belongs];
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

function listProcesses(proc: string): readonly Process[] {
  return attempt(() => readdirSync(proc), [])
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [state, parent = '', , session = ''] = processFields(proc, name);
      if (state === undefined || state === 'Z' || state === 'X') return [];
      return [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
    });
}

function environmentOf(proc: string, pid: number): string {
  return attempt(() => readFileSync(`${proc}/${pid}/environ`, 'latin1'), '');
}

function kill(pid: number): boolean {
  return attempt(() => process.kill(pid, 'SIGKILL'), false);
}

/** Processes end while one looks at them, and some belong to others: neither is a fault. */
function attempt<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise;
  }
}
