/** Where the agent's files are unless told (`--run-dir`); the request helper knows no other. */
export const RUN_DIR = '/run/plugd';

/** The control socket of a run directory. */
export function controlPath(runDir: string): string {
  return `${runDir}/control`;
}
