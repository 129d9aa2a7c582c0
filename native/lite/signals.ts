/** Linux's signals by number; the same on x86, arm and riscv. Source: signal(7). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

/** `9` → `SIGKILL`. */
export function signalName(signal: number): string {
  return NAMES[signal] ?? `SIG${signal}`;
}

/** `SIGKILL` → `9`; undefined for a name that is none. */
export function signalNumber(name: string): number | undefined {
  const found = Object.entries(NAMES).find(([, known]) => known === name);
  return found === undefined ? undefined : Number(found[0]);
}
