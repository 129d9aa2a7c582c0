/**
 * Loads what lists for boot name: one graph for all entries, as parallel as what they need allows. The status is
 * systemd-modules-load's. Changes nothing in a dry run.
 */
import { ERRNO } from '../base/errno.ts';
import type { Host } from '../base/host.ts';
import { lookupKey, type Devpath, type ModuleName } from '../base/names.ts';
import type { Problem } from '../base/problem.ts';
import { readBootListFiles } from '../facts/config/boot-list-files.ts';
import { readKernelCompression } from '../facts/kernel/kernel-state.ts';
import type { BootListEnd, BootListResult, BootListRun } from '../records/boot-list-run.ts';
import type { ModuleRecord, Requester } from '../records/coldplug-run.ts';
import type { BootDialectName, BootListEntry } from '../rules/boot/boot-entry.ts';
import { BOOT_DIALECTS, countingEntries, parseBootLists } from '../rules/boot/boot-list.ts';
import type { OptionsRule } from '../rules/modprobe/config.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';
import { Loader, type LoaderObserver } from './loader.ts';
import { mayInsert } from './permission.ts';
import { findSources, type Sources } from './sources.ts';

/** How to load lists. */
export interface BootListOptions {
  readonly host: Host;
  readonly jobs: number;
  readonly dryRun: boolean;
  /** Only these dialects; undefined for all. */
  readonly dialects: readonly BootDialectName[] | undefined;
  /** One entry after the other, instead of all at once. */
  readonly inOrder: boolean;
  readonly observer?: LoaderObserver | undefined;
  /** Explains what failed. */
  readonly explain?: (sources: Sources, records: readonly ModuleRecord[]) => Promise<readonly ModuleRecord[]>;
}

/** The entries of a machine's lists that count, each name once, and what is wrong with the lists. */
export interface ReadBootLists {
  readonly entries: readonly BootListEntry[];
  readonly problems: readonly Problem[];
}

/** Reads the lists of a host: `readBootLists(host, ['modules-load.d'])`. Empty when there are none. */
export function readBootLists(host: Host, dialects?: readonly BootDialectName[]): ReadBootLists {
  const files = readBootListFiles(host);
  const lists = parseBootLists(files);
  const unread = files.unread.map(({ file, why }): Problem => {
    const message = `${why}; what it names is not loaded`;
    return { file, line: 0, column: 0, severity: 'error', code: 'unreadable', message };
  });
  return {
    entries: countingEntries(lists, { dialects, inInitramfs: files.inInitramfs }),
    problems: [...unread, ...lists.problems],
  };
}

/** The parameters of entries, as rules that come after those of modprobe.d. */
export function bootListParameters(entries: readonly BootListEntry[]): readonly OptionsRule[] {
  return entries.flatMap(({ name, parameters, place }) => {
    const key = lookupKey(name);
    return parameters === '' || key === undefined
      ? []
      : [{ module: key as string as ModuleName, text: parameters, place }];
  });
}

/** Asks a loader for an entry. */
export function askForEntry(
  loader: Pick<Loader, 'request'>,
  { dialect, name, place }: BootListEntry,
): readonly ModuleName[] {
  const requester: Requester = { devpath: '' as Devpath, subsystem: '', name, by: 'boot-list', rule: place };
  return loader.request(name, requester, false, BOOT_DIALECTS[dialect].useBlacklist).modules;
}

/**
 * Loads the lists. Without a module tree nothing is found. Errors: those of mayInsert(), when something must be inserted.
 *
 *     await loadBootLists({ host, jobs: 12, dryRun: false, dialects: undefined, inOrder: false });
 */
export async function loadBootLists(options: BootListOptions): Promise<BootListRun> {
  const { host, dryRun } = options;
  const { entries, problems } = readBootLists(host, options.dialects);
  const frame = { kernel: host.kernel, dryRun };
  const sources = findSources(host, undefined, bootListParameters(entries));
  if (sources.kind === 'no-tree') {
    const results = entries.map((entry): BootListResult => ({
      entry,
      end: 'not-found',
      modules: [],
      why: sources.reason,
    }));
    return { ...frame, results, problems };
  }
  const plan = loaderOf(options, sources, true);
  const planned = entries.map((entry) => askForEntry(plan, entry));
  // Where all is there already, nobody needs a right to insert.
  const goesOn = !dryRun && plan.modules.records().length > 0;
  if (goesOn) mayInsert(host);
  const loader = goesOn ? loaderOf(options, sources, false) : plan;
  const asked = goesOn ? await askForAll(loader, entries, options.inOrder) : planned;
  const results = entries.map((entry, i) => resultOf(entry, asked[i] ?? [], loader));
  return { ...frame, results: await explained(results, loader, sources, options), problems };
}

function loaderOf({ host, jobs, observer }: BootListOptions, sources: Sources, dryRun: boolean): Loader {
  const kernelCompression = readKernelCompression(host.sysfs);
  return new Loader({ host, sources, jobs, dryRun, kernelCompression, observer: dryRun ? undefined : observer });
}

async function askForAll(
  loader: Loader,
  entries: readonly BootListEntry[],
  inOrder: boolean,
): Promise<ReadonlyArray<readonly ModuleName[]>> {
  const asked: Array<readonly ModuleName[]> = [];
  for (const entry of entries) {
    asked.push(askForEntry(loader, entry));
    // Also what its softdeps bring, as modprobe does.
    if (inOrder) await loader.modules.whenIdle();
  }
  await loader.modules.whenIdle();
  return asked;
}

/** The worst end first. */
const ENDS: readonly BootListEnd[] = ['failed', 'not-found', 'no-device', 'kept-out', 'planned', 'inserted', 'present'];

function resultOf(entry: BootListEntry, modules: readonly ModuleName[], loader: Loader): BootListResult {
  if (modules.length === 0) return { entry, end: 'not-found', modules, why: 'no module has that name or alias' };
  const ends = modules.map((module) => endOf(module, loader));
  const worst = ENDS.flatMap((end) => ends.filter((each) => each.end === end))[0];
  return { entry, modules, end: worst?.end ?? 'present', why: worst?.why };
}

function endOf(module: ModuleName, loader: Loader): Pick<BootListResult, 'end' | 'why'> {
  const blocked = loader.blocked.find((record) => record.module === module && record.requester.by === 'boot-list');
  const record = loader.modules.record(module);
  if (record === undefined) {
    if (blocked === undefined) return { end: 'present' };
    const end = isKeptOut(blocked.kind as Parameters<typeof isKeptOut>[0]) ? 'kept-out' : 'not-found';
    return { end, why: blocked.reason };
  }
  const root = rootOf(record, loader);
  if (root.result !== 'failed') return { end: root.result === 'planned' ? 'planned' : 'inserted' };
  const why = root === record ? undefined : `it needs ${root.module}`;
  if (root.errno === ERRNO.ENODEV) return { end: 'no-device', why };
  // As in kmod: a file that is missing, and a symbol that is unknown.
  if (root.cause === 'missing-file' || root.errno === ERRNO.ENOENT)
    return { end: 'not-found', why: why ?? root.detail };
  return { end: 'failed', why };
}

/** Of a module that was skipped, the one that failed. */
function rootOf(record: ModuleRecord, loader: Loader): ModuleRecord {
  const seen = new Set<string>();
  let root = record;
  while (root.result === 'skipped' && root.detail !== undefined && !seen.has(root.module)) {
    seen.add(root.module);
    root = loader.modules.record(root.detail as ModuleName) ?? root;
  }
  return root;
}

/** The results with what is known of each failure. */
async function explained(
  results: readonly BootListResult[],
  loader: Loader,
  sources: Sources,
  { explain, dryRun }: BootListOptions,
): Promise<readonly BootListResult[]> {
  const hasRefusals = results.some(({ end }) => end === 'failed' || end === 'not-found');
  const records = loader.modules.records();
  if (!hasRefusals || explain === undefined || dryRun || records.length === 0) return results;
  const told = new Map((await explain(sources, records)).map((record) => [record.module, record]));
  return results.map((result) => {
    if (result.end !== 'failed' && result.end !== 'not-found') return result;
    const own = result.modules.map((module) => loader.modules.record(module)).filter((each) => each !== undefined);
    const root = own.map((record) => rootOf(record, loader)).find((record) => record.result === 'failed');
    const { evidence, remedy } = (root === undefined ? undefined : told.get(root.module)) ?? {};
    return { ...result, evidence, remedy };
  });
}
