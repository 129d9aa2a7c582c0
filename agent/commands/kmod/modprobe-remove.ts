/**
 * modprobe's removals: the steps of the plan. Before each it checks again what is in use, because a failed step leaves more in use
 * than the plan assumed.
 */
import { errnoText } from '../../base/errno.ts';
import { readHolders, readRefcount } from '../../facts/kernel/sys-module.ts';
import { removeModule } from '../../insert/removal.ts';
import { createRemovalPlanner, type RemovalPlanner, type RemovalStep } from '../../plan/removal-planner.ts';
import { LEVEL } from './applet.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** Removes modules one by one. */
export class Remover {
  readonly #run: ModprobeRun;
  readonly #planner: RemovalPlanner;

  constructor(run: ModprobeRun) {
    const { sysfs } = run.host;
    this.#run = run;
    this.#planner = createRemovalPlanner({
      ...run.facts(),
      state: (module) => run.state(module),
      refcount: (module) => readRefcount(sysfs, module),
      holders: (module) => readHolders(sysfs, module),
    });
  }

  /** Removes what a name stands for; returns whether it succeeded. The first module that stays ends it. */
  async remove(name: string): Promise<boolean> {
    const run = this.#run;
    const candidates = run.candidates(name);
    if (candidates.length === 0) {
      run.complain(`Module ${name} not found.`);
      return false;
    }
    const { all, removeHolders, ignoreCommands, ignoreLoaded, firstTime, waitMs, level, dryRun } = run.settings;
    for (const candidate of candidates) {
      const { steps } = this.#planner.plan(candidate, name, {
        removeHolders,
        ignoreCommands,
        ignoreLoaded,
        firstTime,
        wait: waitMs > 0,
        goOn: all || level < LEVEL.fatal,
        countsStay: dryRun,
      });
      if (!(await this.#steps(steps))) return false;
    }
    return true;
  }

  async #steps(steps: readonly RemovalStep[]): Promise<boolean> {
    let fine = true;
    for (let at = 0; ;) {
      const step = steps[at];
      if (step === undefined) return fine;
      const done = await this.#step(step);
      if (!done && step.required) fine = false;
      at = done ? at + 1 : step.otherwise;
    }
  }

  async #step(step: RemovalStep): Promise<boolean> {
    const run = this.#run;
    const { module } = step;
    if (step.kind === 'refused') {
      const why = { builtin: 'is builtin', 'not-loaded': 'is not in kernel', 'in-use': 'is in use' }[step.because];
      run.complain(`Module ${module} ${why}.`);
      return false;
    }
    const { dryRun, waitMs, force } = run.settings;
    if (step.kind === 'command') {
      run.show(`remove ${step.command.text}`);
      if (dryRun) return true;
      const end = await run.command(step.command.text, module);
      if (end.kind === 'command') return true;
      run.complain(`Error running remove command for ${module}`);
      return false;
    }
    if (!dryRun && (step.why === 'unused' || waitMs === 0)) {
      if ((readRefcount(run.host.sysfs, module) ?? 0) > 0) {
        if (step.why !== 'unused') run.complain(`Module ${module} is in use.`);
        return false;
      }
    }
    run.show(`rmmod ${module}`);
    if (dryRun) return true;
    const removal = await removeModule({ module, force, waitMs });
    if (removal.kind === 'removed') return true;
    run.applet.error(`could not remove '${module}': ${errnoText(removal.errno)}`);
    return false;
  }
}
