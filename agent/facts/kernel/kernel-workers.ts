import { readdirSync } from 'node:fs';
import { readText } from '../attribute.ts';

/**
 * Work queues that do nothing but find devices. The general ones (`events`, `events_unbound`), in which SCSI hosts and codecs are
 * searched for, are always busy with something.
 */
const FINDING: ReadonlySet<string> = new Set(['usb_hub_wq', 'nvme-reset-wq']);

/** The kernel's worker threads, as /proc shows them to root of the first pid namespace; elsewhere there are none. */
export class KernelWorkers {
  readonly #proc: string;
  /** Processes that are no workers, so that they are looked at once. */
  readonly #others = new Set<string>();

  constructor(proc: string) {
    this.#proc = proc;
  }

  /**
   * The queues that find devices and have a work running at this moment, each once: `usb_hub_wq`. A worker's name in
   * /proc/PID/comm ends in `+` and the queue whose work it does, in `-` and the last one when it is idle (Linux 4.18,
   * wq_worker_comm() in kernel/workqueue.c).
   */
  busy(): readonly string[] {
    const queues = new Set<string>();
    for (const pid of numbersIn(this.#proc)) {
      if (this.#others.has(pid)) continue;
      const name = readText(`${this.#proc}/${pid}/comm`)?.trimEnd();
      if (name === undefined) continue;
      if (!name.startsWith('kworker/')) {
        this.#others.add(pid);
        continue;
      }
      const queue = name.slice(name.indexOf('+') + 1);
      if (FINDING.has(queue)) queues.add(queue);
    }
    return [...queues];
  }
}

function numbersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^[0-9]/.test(name));
  } catch {
    return [];
  }
}
