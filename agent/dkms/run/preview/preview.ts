/** `dkms --dry-run`: what a run would do with each module and kernel, and why. Changes nothing, and needs no right to. */
import type { PlanReason, PlanStep } from '../../../records/dkms/plan-message.ts';
import { autoinstallIsOff } from '../../conf/framework.ts';
import { nameOf, type DkmsKernel, type DkmsModule } from '../../tree/dkms-places.ts';
import { buildsOf, installedVersion, isBuilt, isInstalled, registrationOf } from '../../tree/registry.ts';
import { absentNeeds, findCandidates, type Candidate } from '../autoinstall/candidates.ts';
import type { DkmsSession } from '../session.ts';
import { confFileOf, nothing, outlookOf, type Outlook } from './outlook.ts';

/** Actions that have a plan of their own for one module. */
const REMOVALS = ['uninstall', 'unbuild', 'remove'];
/** Actions that change nothing, or have a dry run of another kind. */
const HARMLESS = ['status', 'prune', 'check', 'log'];

/** Whether `-n` turns this run into a plan; the other actions do what they do. */
export function isPreview({ options }: DkmsSession): boolean {
  return options.dryRun && (!HARMLESS.includes(options.action) || options.repair);
}

/** Tells the plan of the run; gives the exit status that the run would end with, as far as it can be known. */
export async function tellPreview(session: DkmsSession, kernels: readonly DkmsKernel[]): Promise<number> {
  const { action, all } = session.options;
  const told = new PlanTelling(session);
  if (action === 'autoinstall' || action === 'kernel_postinst') {
    if (autoinstallIsOff(session.parts.etc)) session.tell({ kind: 'autoinstall-disabled' });
    else for (const kernel of kernels) await planAutoinstall(session, kernel, told);
    return told.end();
  }
  const module = moduleOf(session, kernels[0] ?? session.parts.running);
  if (module === undefined || (!REMOVALS.includes(action) && action !== 'build' && action !== 'install')) {
    session.tell({ kind: 'plan-unknown', action });
    return 2;
  }
  if (REMOVALS.includes(action)) {
    const chosen = all ? buildsOf(session.trees, module).map(({ kernel }) => kernel) : kernels;
    planRemoval(session, module, chosen, told);
  } else for (const kernel of kernels) told.tell(module, kernel, await outlookOf(session, module, kernel));
  return told.end();
}

/** Tells the nodes of a plan and counts them. */
class PlanTelling {
  readonly #session: DkmsSession;
  #nodes = 0;
  #working = 0;
  #blocked = 0;
  #first = 0;

  constructor(session: DkmsSession) {
    this.#session = session;
  }

  tell(module: DkmsModule, kernel: DkmsKernel, outlook: Outlook, after: readonly string[] = []): void {
    this.#nodes++;
    if (outlook.steps.length > 0) this.#working++;
    if (outlook.status !== 0) this.#blocked++;
    this.#first ||= outlook.status;
    this.#session.tell({ kind: 'plan', module: nameOf(module), ...kernel, ...outlook, after });
  }

  /** The last line; gives the run's exit status: for several modules dkms has one of its own. */
  end(): number {
    const [nodes, working, blocked] = [this.#nodes, this.#working, this.#blocked];
    this.#session.tell({ kind: 'plan-end', nodes, working, blocked });
    const { action } = this.#session.options;
    const several = action === 'autoinstall' || action === 'kernel_postinst';
    return several && this.#first !== 0 && this.#first !== 21 ? 11 : this.#first;
  }
}

/** The modules of a kernel in the order in which autoinstall takes them; what it passes over comes last. */
async function planAutoinstall(session: DkmsSession, kernel: DkmsKernel, told: PlanTelling): Promise<void> {
  const { candidates, installed, unwanted, broken } = findCandidates(session, kernel);
  const met = new Set<string>();
  const isThere = (name: string) => met.has(name) || installedVersion(session.trees, name, kernel) !== undefined;
  const waiting: Candidate[] = [...candidates];
  const planned: string[] = [];
  for (;;) {
    const at = waiting.findIndex(({ needs }) => needs.every(isThere));
    if (at < 0) break;
    const [next] = waiting.splice(at, 1);
    if (next === undefined) break;
    const outlook = await outlookOf(session, next.module, kernel, [...met]);
    // A module that is not for this kernel is no failure, and none is what waits for it.
    const status = outlook.status === 77 ? 0 : outlook.status;
    if (status === 0) met.add(next.module.name);
    told.tell(
      next.module,
      kernel,
      { ...outlook, status },
      next.needs.filter((name) => planned.includes(name)),
    );
    if (outlook.steps.length > 0) planned.push(next.module.name);
  }
  for (const { module, needs } of waiting) {
    const { absent, unknown } = absentNeeds(session, needs, isThere);
    if (unknown) told.tell(module, kernel, nothing({ kind: 'depends-unknown', names: absent }));
    else told.tell(module, kernel, nothing({ kind: 'depends-missing', names: absent }, 11));
  }
  for (const module of installed) told.tell(module, kernel, nothing({ kind: 'installed' }));
  for (const module of unwanted) told.tell(module, kernel, nothing({ kind: 'autoinstall-off' }));
  for (const module of broken) told.tell(module, kernel, nothing({ kind: 'broken' }, 4));
}

function planRemoval(
  session: DkmsSession,
  module: DkmsModule,
  kernels: readonly DkmsKernel[],
  told: PlanTelling,
): void {
  const { trees, options, parts } = session;
  const registration = registrationOf(trees, module);
  if (registration === undefined || registration === 'broken') {
    const why: PlanReason = registration === 'broken' ? { kind: 'broken' } : { kind: 'absent' };
    for (const kernel of kernels) told.tell(module, kernel, nothing(why, registration === 'broken' ? 4 : 3));
    return;
  }
  const rest = buildsOf(trees, module).filter(({ kernel }) => !kernels.some((each) => isSame(each, kernel)));
  const forgets = options.action === 'remove' && rest.length === 0;
  // A version that is built for no kernel is forgotten all the same.
  const nodes = kernels.length === 0 ? [parts.running] : kernels;
  for (const [i, kernel] of nodes.entries()) {
    const steps: PlanStep[] = [];
    if (isInstalled(trees, module, kernel)) steps.push('uninstall');
    if (options.action !== 'uninstall' && isBuilt(trees, module, kernel)) steps.push('unbuild');
    if (forgets && i === nodes.length - 1) steps.push('forget');
    told.tell(module, kernel, { steps, why: { kind: steps.length === 0 ? 'absent' : 'asked' }, status: 0 });
  }
}

function isSame(a: DkmsKernel, b: DkmsKernel): boolean {
  return a.release === b.release && a.arch === b.arch;
}

/** The module that the command line names, by name or by its folder; undefined for archives, whose names nobody knows unopened. */
function moduleOf(session: DkmsSession, kernel: DkmsKernel): DkmsModule | undefined {
  const { source, archive, module, version } = session.options;
  if (source === '') return archive !== '' || module === '' || version === '' ? undefined : { name: module, version };
  const reading = session.look({ name: '', version: '' }, kernel, 'lenient', confFileOf(source));
  if (reading.kind === 'missing') return undefined;
  return { name: reading.conf.packageName, version: reading.conf.packageVersion };
}
