/** Which of the kernel's work queues are still finding devices. Reads /proc only. */
import { readdirSync } from 'node:fs';
import { readText } from '../attribute.ts';

/**
 * Work queues that do nothing but find devices. The general ones (`events`, `events_unbound`), where SCSI hosts and codecs are
 * searched, are always busy with something.
 */
const FINDING: ReadonlySet<string> = new Set(['usb_hub_wq', 'nvme-reset-wq']);

/** The kernel's worker threads, which /proc shows to root of the first pid namespace; elsewhere there are none. */
export class KernelWorkers {
  readonly #proc: string;
  /** Processes that are not workers, so that each is looked at once. */
  readonly #others = new Set<string>();

  constructor(proc: string) {
    this.#proc = proc;
  }

  /**
   * The queues that find devices and have work running at this moment, each once: `usb_hub_wq`. A worker's name in /proc/PID/comm
   * ends in `+` and the queue whose work it does; an idle worker's ends in `-` and its last queue (Linux 4.18, wq_worker_comm() in
   * kernel/workqueue.c).
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
