/** Reads the facts for `plugd doctor`; health-*.ts judge them. Changes nothing. */
import { accessSync, constants, existsSync } from 'node:fs';
import { release } from 'node:os';
import { installedReleases, type Host } from '../../base/host.ts';
import { moduleFile, type ModuleName, type Place } from '../../base/names.ts';
import { readAttribute } from '../../facts/attribute.ts';
import { readUdevRules } from '../../facts/config/config-text.ts';
import { openFirmware } from '../../facts/devices/firmware.ts';
import { readKernelConfig } from '../../facts/kernel/kernel-config.ts';
import { readSecureBoot } from '../../facts/kernel/lockdown.ts';
import { readLoosePaths } from '../../facts/config/permissions.ts';
import { readBoundDevices } from '../../facts/devices/bound-device.ts';
import { readTaints } from '../../facts/kernel/taint.ts';
import { changedAt, fileAge } from '../../facts/trees/file-age.ts';
import { faultOf } from '../../facts/regular-file.ts';
import { findModules } from '../../depmod/module-search.ts';
import { ERRNO } from '../../base/errno.ts';
import { fromMachineText } from '../../base/machine-text.ts';
import { existsInRoot, statInRoot } from '../../base/root.ts';
import { udevdRuns } from '../../facts/kernel/udevd.ts';
import { describe } from '../../facts/devices/device-search.ts';
import { parseDepLine } from '../../match/matcher.ts';
import { KERNEL_CHECKS } from './health-kernel.ts';
import { RULE_CHECKS } from './health-rules.ts';
import { FIRMWARE_CHECK, TREE_CHECKS } from './health-tree.ts';
import type { Problem } from '../../base/problem.ts';
import { findings, type CheckResult, type HealthFacts, type Tell, type TreeFacts } from './health.ts';
import { firmwareFacts } from './firmware-facts.ts';
import { listDevices } from '../device-list.ts';
import { readParts } from './installed-parts.ts';
import { idleRules } from './idle-rules.ts';
import { isEnforced, readKernelEvidence } from '../kernel-evidence.ts';
import { vouchingRings } from '../../trust/vouching.ts';
import { readOwnFiles } from '../dkms/own-files.ts';
import { readOutOfTree } from '../dkms/out-of-tree.ts';
import { readEnrolment } from './own-key.ts';
import { readPolicy } from '../policy-verdict.ts';
import { findSources, type Sources } from '../../load/sources.ts';

/** What a running agent says of itself: the lines of its policy that are not in force yet. */
export interface AgentFacts {
  readonly pending: readonly string[];
  /** Undefined when it does not say. */
  readonly version?: string | undefined;
}

/** Every check on the host, in the order in which they are shown: the tree, the kernel, the rules. */
export function examineHealth(
  host: Host,
  agent: AgentFacts | undefined,
  tell: Tell = () => {},
): readonly CheckResult[] {
  const facts = readHealthFacts(host, agent, tell);
  const [support, ...kernel] = KERNEL_CHECKS;
  const first = support === undefined ? [] : [support];
  return findings([...first, ...TREE_CHECKS, FIRMWARE_CHECK, ...kernel, ...RULE_CHECKS], facts);
}

/** The checks of the host's module tree and configuration alone: for devices that another machine had. */
export function examineTree(host: Host, tell: Tell = () => {}): readonly CheckResult[] {
  return findings([...TREE_CHECKS, ...RULE_CHECKS], readHealthFacts(host, undefined, tell));
}

function readHealthFacts(host: Host, agent: AgentFacts | undefined, tell: Tell): HealthFacts {
  const found = findSources(host);
  const sources = found.kind === 'no-tree' ? undefined : found;
  const live = readKernelEvidence(host);
  const helper = live === undefined ? undefined : readAttribute(`${host.proc}/sys/kernel/modprobe`);
  const { wanted, waiting } = live === undefined ? { wanted: [], waiting: [] } : devicesOf(host, sources, tell);
  const firmware = openFirmware(host);
  const outOfTree = readOutOfTree(host);
  return {
    root: host.root,
    kernel: host.kernel,
    moduleDir: host.moduleDir,
    live,
    running: host.root === '' ? release() : undefined,
    releases: installedReleases(host.root),
    config: readKernelConfig(host),
    secureBoot: readSecureBoot(host),
    taints: live === undefined ? undefined : readTaints(host),
    helper: helper === undefined ? undefined : { path: helper, there: isExecutable(helper) },
    tree: sources === undefined ? undefined : treeFacts(host, sources),
    closed: found.kind === 'no-tree' && found.why === 'closed' ? found : undefined,
    outOfTree,
    ownFiles: sources === undefined ? [] : readOwnFiles(host, sources, outOfTree),
    enforced: isEnforced(live),
    configuration: [...ruleProblems(host, sources), ...policyProblems(host)],
    idleRules: sources === undefined ? [] : idleRules(host, sources),
    loose: readLoosePaths(host.root, rulePlaces(host)),
    udevd: { running: live !== undefined && udevdRuns(host), loads: udevLoads(host) },
    agent: agent !== undefined,
    pending: agent?.pending,
    parts: live === undefined ? undefined : readParts(host.root, helper, agent?.version),
    firmwareFolders: firmware.folders,
    firmware: sources === undefined ? [] : firmwareFacts(host, sources, wanted, tell),
    waiting,
    securityfs: existsSync(`${host.sysfs}/kernel/security/lsm`),
    vouching: vouchingRings(host),
    enrolment: live === undefined ? undefined : readEnrolment(host),
  };
}

/** Of modprobe.d, the kernel's command line and udev's rules. */
function ruleProblems(host: Host, sources: Sources | undefined): readonly Problem[] {
  if (sources === undefined) return [];
  // udev's rules are read when somebody asks for them, and their problems are known from then on.
  const udev = new Set(sources.loadRules.problems);
  const others = sources.problems().filter((problem) => !udev.has(problem) && !problem.file.startsWith(host.moduleDir));
  return [...others, ...udev];
}

function policyProblems(host: Host): readonly Problem[] {
  const read = readPolicy(host);
  return read?.kind === 'malformed' ? read.problems : [];
}

/** What is on disk, as depmod would find it, compared with modules.dep. */
export function treeFacts(host: Host, { tree, config }: Sources): TreeFacts {
  // One lookup in each index finds the damaged ones.
  for (const index of Object.values(tree.indexes)) index?.exact('');
  const { paths, unreadable } = depmodFiles(host);
  const missing: string[] = [];
  const newer: string[] = [];
  const listed = new Set<string>();
  const made =
    changedAt(host.root, `${host.moduleDir}/modules.dep.bin`) ??
    changedAt(host.root, `${host.moduleDir}/modules.dep`) ??
    0;
  for (const { value } of tree.indexes.dep?.entries() ?? []) {
    const path = parseDepLine(value)?.path;
    if (path === undefined) continue;
    listed.add(path);
    const age = fileAge(host.root, moduleFile(host, path));
    if (age.kind === 'absent') missing.push(path);
    else if (age.kind === 'unknown') unreadable.push(`${moduleFile(host, path)}: ${faultOf(age.errno).why}`);
    else if (age.seconds > made && paths.has(path)) newer.push(path);
  }
  return {
    modules: listed.size,
    missing: missing.toSorted(),
    unlisted: [...paths].filter((path) => !listed.has(path)).toSorted(),
    newer: newer.toSorted(),
    unreadable: [...new Set(unreadable)].toSorted(),
    // Also for the lines that depmod wrote into modules.softdep and modules.weakdep.
    problems: [
      ...tree.problems(),
      ...missingBuiltins(host),
      ...config.problems.filter(({ file }) => file.startsWith(`${host.moduleDir}/`)),
    ],
  };
}

/** The modules that depmod would list, by the paths of modules.dep, and what cannot be read. */
function depmodFiles(host: Host): { readonly paths: ReadonlySet<string>; readonly unreadable: string[] } {
  const unreadable: string[] = [];
  const found = findModules(host, ({ kind, path, errno }) => {
    if ((kind === 'directory' || kind === 'entry') && errno !== ERRNO.ENOENT)
      unreadable.push(`${fromMachineText(path)}: ${faultOf(errno).why}`);
  });
  return { paths: new Set(found.map(({ listed }) => listed)), unreadable };
}

/**
 * Indexes of built-in modules: without them `modprobe ext4` fails where ext4 is built in. depmod makes them of the kernel build's own texts,
 * and leaves an empty file where there is none.
 */
function missingBuiltins(host: Host): readonly Problem[] {
  return (
    [
      ['modules.builtin', 'modules.builtin', 'which modules are inside the kernel'],
      ['modules.builtin.alias', 'modules.builtin.modinfo', 'the aliases of modules inside the kernel'],
    ] as const
  ).flatMap(([index, text, what]): readonly Problem[] => {
    const made = statInRoot(host.root, `${host.moduleDir}/${index}.bin`);
    if (existsInRoot(host.root, `${host.moduleDir}/${text}`) || (made?.size ?? 0n) > 0n) return [];
    const lack =
      made === undefined
        ? `neither ${index}.bin nor ${text} is there`
        : `${index}.bin is empty and ${text} is not there`;
    const message = `${lack}, so nobody knows ${what}`;
    return [{ file: `${host.moduleDir}/${text}`, line: 0, column: 0, severity: 'error', code: 'missing', message }];
  });
}

/** The modules that devices here ask for, and the devices whose module is not loaded. */
function devicesOf(
  host: Host,
  sources: Sources | undefined,
  tell: Tell,
): { readonly wanted: readonly ModuleName[]; readonly waiting: readonly string[] } {
  if (sources === undefined) return { wanted: [], waiting: [] };
  const { devices } = listDevices(told(readBoundDevices(host.sysfs), tell), { host, recorded: false, deep: false });
  const waiting = devices.filter(({ row }) => row.driver === undefined && row.verdict === 'would-insert');
  return {
    wanted: [...new Set(devices.flatMap(({ row }) => row.modules))],
    waiting: waiting.map(({ row }) => `${describe(row)}: ${row.modules.join(', ')}`),
  };
}

/** The items, each told of as it is taken. */
export function* told<T>(items: Iterable<T>, tell: Tell): Generator<T> {
  let done = 0;
  for (const item of items) {
    tell('devices', done++);
    yield item;
  }
}

/** The folders and files that decide what root loads. */
function rulePlaces(host: Host): readonly string[] {
  const folders = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].flatMap((place) =>
    ['modprobe.d', 'modules-load.d', 'udev/rules.d', 'depmod.d'].map((family) => `${host.root}${place}/${family}`),
  );
  const seen = new Set<string>();
  return [...folders, `${host.root}/etc/modules`, `${host.root}/etc/plugd`, host.moduleDir].filter(
    (path) => !seen.has(path) && seen.add(path),
  );
}

/** The rule by which udev loads modules; undefined when it is masked or missing. */
function udevLoads(host: Host): Place | undefined {
  for (const { file, text } of readUdevRules(host).texts) {
    const line = text.split('\n').findIndex((each) => /^[^#]*MODALIAS.*kmod\s+load/.test(each));
    if (line >= 0) return { file, line: line + 1 };
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
