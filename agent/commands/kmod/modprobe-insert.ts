/**
 * modprobe's insertions, in kmod's way: it skips a loaded module; otherwise it inserts the plan's steps in order, and those that
 * only a softdep adds may fail. Several modules of one alias follow each other, and the last one's result counts. plan/ decides the
 * order, insert/ makes the calls.
 */
import { statSync } from 'node:fs';
import { ERRNO, errnoOf, errnoText } from '../../base/errno.ts';
import { fromMachineText, nativePath, toMachineText } from '../../base/machine-text.ts';
import { moduleNameFromPath } from '../../base/names.ts';
import { readKernelCompression } from '../../facts/kernel/kernel-state.ts';
import type { Insertion } from '../../insert/insertion.ts';
import type { Candidate } from '../../match/candidate.ts';
import type { Matcher } from '../../match/matcher.ts';
import type { Blocked, Step } from '../../plan/plan.ts';
import { createPlanner, kmodOptions, type Planner } from '../../plan/planner.ts';
import { causeText } from '../../diagnosis/cause.ts';
import { isThroughAlias } from '../../rules/modprobe/decision.ts';
import { ruleIndex } from '../../rules/modprobe/rule-index.ts';
import { LEVEL } from './applet.ts';
import { absolute } from '../machine-words.ts';
import type { ModprobeRun } from './modprobe-run.ts';

const UNKNOWN_SYMBOL = 'Unknown symbol in module, or unknown parameter (see dmesg)';

/** The result of a step: nothing to say, or why it failed, for `could not insert 'NAME': `. */
type StepEnd = 'done' | 'already-loaded' | { readonly why: string };

export { joinParameters } from './parameters.ts';

/** Inserts modules one by one; the plans for all of them share what they learn. */
export class Inserter {
  readonly #run: ModprobeRun;
  #planner: Planner | undefined;
  /** What was asked for last. */
  #asked = '';

  constructor(run: ModprobeRun) {
    this.#run = run;
  }

  /** Inserts what a name or path stands for, with parameters; returns whether it succeeded. */
  async insert(operand: string, parameters: string): Promise<boolean> {
    const run = this.#run;
    const { settings, applet } = run;
    if (isPath(operand)) return this.#insertFile(operand, parameters);
    const candidates = run.candidates(operand);
    if (candidates.length === 0) {
      run.complain(`Module ${operand} not found in directory ${toMachineText(run.host.moduleDir)}`);
      return false;
    }
    let fine = true;
    for (const candidate of candidates) {
      if (settings.action === 'show-alias') applet.print(`${candidate.module}\n`);
      else {
        const planner = (this.#planner ??= this.#plannerOver(run.matcher));
        // One at a time: each may provide what the next one needs.
        fine = await this.#insertCandidate(candidate, operand, parameters, planner, run.matcher);
      }
    }
    return fine;
  }

  /** Inserts a module file; modules.dep says what it needs, if it knows a module of that name. */
  async #insertFile(operand: string, parameters: string): Promise<boolean> {
    const run = this.#run;
    const path = toMachineText(absolute(fromMachineText(operand)));
    try {
      statSync(nativePath(path));
    } catch (error) {
      run.complain(`Failed to get module from path ${operand}: ${errnoText(errnoOf(error, ERRNO.EINVAL))}`);
      return false;
    }
    const module = moduleNameFromPath(operand);
    if (run.settings.action === 'show-alias') {
      run.applet.print(`${module}\n`);
      return true;
    }
    const { matcher } = run;
    const withFile: Matcher = {
      ...matcher,
      dependencies: (name) =>
        name === module ? { path, depends: matcher.dependencies(name)?.depends ?? [] } : matcher.dependencies(name),
      isBuiltin: (name) => name !== module && matcher.isBuiltin(name),
    };
    const candidate: Candidate = { module, source: 'modules.dep', pattern: module, priority: 0 };
    return this.#insertCandidate(candidate, module, parameters, this.#plannerOver(withFile), withFile);
  }

  #plannerOver(matcher: Matcher): Planner {
    const run = this.#run;
    return createPlanner({ ...run.facts(matcher), state: (module) => run.state(module) });
  }

  async #insertCandidate(
    candidate: Candidate,
    name: string,
    parameters: string,
    planner: Planner,
    matcher: Matcher,
  ): Promise<boolean> {
    const run = this.#run;
    const { module } = candidate;
    this.#asked = name;
    const { ignoreLoaded, ignoreCommands, firstTime, useBlacklist, dryRun } = run.settings;
    const builtin = candidate.source === 'builtin-alias' || matcher.isBuiltin(module);
    if (!ignoreLoaded && (builtin || run.state(module) === 'live')) {
      if (firstTime) run.applet.error(`could not insert '${module}': Module already in kernel`);
      return !firstTime;
    }
    const blacklisted = ruleIndex(run.config).first('blacklists', module) !== undefined;
    if (blacklisted && (useBlacklist || isThroughAlias(candidate))) return true;
    const plan = planner.plan(candidate, name, { ignoreLoaded, ignoreCommands, extraParams: parameters });
    const [blocked] = plan.blocked;
    // kmod notices that there is no such module only when it tries to insert it.
    if (blocked?.kind === 'missing-module' && dryRun) return true;
    const end = blocked === undefined ? await this.#steps(plan.printed, module) : this.#blocked(blocked);
    if (end === 'done') return true;
    const why = end === 'already-loaded' ? 'Module already in kernel' : end.why;
    run.applet.error(`could not insert '${module}': ${why}`);
    return false;
  }

  #blocked(blocked: Blocked): StepEnd {
    if (blocked.kind !== 'missing-module') return { why: blocked.reason };
    this.#run.applet.error(`could not find module by name='${blocked.module}'`);
    return { why: UNKNOWN_SYMBOL };
  }

  async #steps(steps: readonly Step[], target: string): Promise<StepEnd> {
    const run = this.#run;
    const { ignoreLoaded, firstTime, dryRun } = run.settings;
    for (const step of steps) {
      // Somebody else may have inserted it since the plan was made.
      let end: StepEnd = 'already-loaded';
      if (ignoreLoaded || run.state(step.module) !== 'live') {
        this.#show(step);
        end = dryRun ? 'done' : await this.#do(step);
      }
      if (end === 'already-loaded') {
        if (firstTime && (step.module as string) === target) return end;
      } else if (end !== 'done' && step.required) {
        return end;
      }
    }
    return 'done';
  }

  #show(step: Step): void {
    const options = kmodOptions(step.origins);
    const run = this.#run;
    if (step.command !== undefined) run.show(`install ${step.command.raw} ${options}`);
    else if (step.state === 'builtin') run.show(`builtin ${step.module}`);
    else run.show(`insmod ${toMachineText(step.path)} ${options}`);
  }

  async #do(step: Step): Promise<StepEnd> {
    const run = this.#run;
    if (step.command !== undefined) {
      const { text } = step.command;
      const end = await run.command(text, step.module);
      if (end.kind === 'command') return 'done';
      const how = end.code === undefined ? end.why : `retcode ${end.code}`;
      run.applet.error(`Error running install command '${text}' for module ${step.module}: ${how}`);
      return { why: 'Invalid argument' };
    }
    const { insertModule } = await import('../../insert/insertion.ts');
    const { forceModversion, forceVermagic } = run.settings;
    const explaining = run.applet.level >= LEVEL.info ? await import('../../explain/insertion-trial.ts') : undefined;
    const logged = explaining?.lastLogged();
    const insertion = await insertModule({
      root: run.host.root,
      path: step.path,
      params: step.params,
      kernelCompression: readKernelCompression(run.host.sysfs),
      ...(forceModversion || forceVermagic ? { force: { modversions: forceModversion, vermagic: forceVermagic } } : {}),
    });
    if (insertion.kind === 'inserted') {
      await this.#leave(step);
      return 'done';
    }
    if (insertion.kind === 'already-loaded') return 'already-loaded';
    const why = refusal(insertion, toMachineText(step.path));
    run.applet.info(`Failed to insert module '${toMachineText(step.path)}': ${why}`);
    const diagnosis = explaining?.explainOnHost(run.host, step, insertion, logged);
    if (diagnosis !== undefined) {
      const { cause, errno, evidence, remedy } = diagnosis;
      const facts = [causeText(cause, errno), ...evidence, ...(remedy === undefined ? [] : [`remedy: ${remedy}`])];
      for (const fact of facts) run.applet.info(`${step.module}: ${fact}`);
    }
    return { why };
  }

  /** An initramfs has no agent: the one that begins later is told what was loaded there, and for whom. */
  async #leave({ module, path, params, why, for: dependencyOf }: Step): Promise<void> {
    const { host } = this.#run;
    if (host.proc !== '/proc') return;
    const { isAskedByKernel, isInitramfs, leaveLedger } = await import('../../daemon/early-ledger.ts');
    if (!isInitramfs(host)) return;
    const { RUN_DIR } = await import('../../daemon/control/run-dir.ts');
    const by = isAskedByKernel(host) ? 'kernel' : 'command';
    const time = new Date().toISOString();
    leaveLedger(RUN_DIR, [
      {
        time,
        module,
        by,
        name: this.#asked,
        dependencyOf,
        why,
        path,
        ...(params === '' ? {} : { params }),
        early: 'modprobe',
      },
    ]);
  }
}

function refusal({ errno, during, why }: Insertion & { kind: 'refused' }, path: string): string {
  if (why !== undefined) return why;
  if (during === 'open') return `${path}: ${errnoText(errno)}`;
  return errno === ERRNO.ENOENT ? UNKNOWN_SYMBOL : errnoText(errno);
}

function isPath(operand: string): boolean {
  return operand.startsWith('/') || operand.startsWith('./');
}
