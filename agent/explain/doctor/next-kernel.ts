/**
 * Before a reboot into another kernel: would everything in use now still be there? It compares the loaded modules and the devices with
 * drivers with the other release's tree, firmware and initramfs. Reads only.
 */
import { openHost, type Host } from '../../base/host.ts';
import { existsInRoot } from '../../base/root.ts';
import { moduleFile, type ModuleName, moduleNameFromPath } from '../../base/names.ts';
import { readInitramfs } from '../../facts/initramfs/initramfs.ts';
import { readLoadedModules } from '../../facts/kernel/kernel-state.ts';
import { readBoundDevices } from '../../facts/devices/bound-device.ts';
import { describe } from '../../facts/devices/device-search.ts';
import { dkmsCommand } from '../../diagnosis/dkms-remedy.ts';
import { predict, type Diagnosis } from '../../diagnosis/diagnosis.ts';
import type { KernelEvidence, ModuleEvidence } from '../../diagnosis/evidence.ts';
import type { Fate } from '../../records/replay.ts';
import { TREE_CHECKS } from './health-tree.ts';
import { findings, type Check, type CheckResult, type Finding, type Tell } from './health.ts';
import { counted, quoted } from '../../base/words.ts';
import { Examiner } from '../examination.ts';
import { firmwareFacts } from './firmware-facts.ts';
import { treeFacts } from './health-facts.ts';
import { readOwnFiles } from '../dkms/own-files.ts';
import { readOutOfTree } from '../dkms/out-of-tree.ts';
import { isEnforced, readConfigEvidence, readKernelEvidence } from '../kernel-evidence.ts';
import { replayDevices } from '../replay/replayed-devices.ts';
import { findSources, type Sources } from '../../load/sources.ts';

/** The input: the host as it would be with the next kernel, and what is in use now. */
interface Next {
  readonly host: Host;
  readonly sources: Sources;
  readonly now: Host;
  /** How many modules are loaded. */
  readonly loaded: number;
  /** Those that are not built into the next kernel. */
  readonly inUse: readonly ModuleName[];
  readonly kernel: KernelEvidence | undefined;
  readonly examined: ReadonlyMap<ModuleName, ModuleEvidence>;
}

/** The checks for one other release. Without its tree there is one finding, that it is missing. */
export function examineNextKernel(now: Host, release: string, tell: Tell = () => {}): readonly CheckResult[] {
  const place = { root: now.root === '' ? undefined : now.root, sysfs: now.sysfs };
  const host = openHost({ ...place, kernel: release, offline: 'recorded' });
  const sources = findSources(host);
  if (sources.kind === 'no-tree') {
    const finding: Finding = { state: 'wrong', summary: sources.reason, remedy: sources.remedy };
    return [{ id: 'module-tree', title: 'modules', ...finding }];
  }
  const loaded = [...(readLoadedModules(now)?.keys() ?? [])];
  const inUse = loaded.filter((module) => !sources.matcher.isBuiltin(module));
  const next: Next = {
    host,
    sources,
    now,
    loaded: loaded.length,
    inUse,
    kernel: readKernelEvidence(now),
    examined: examineAll(host, sources, withDependencies(sources, inUse), tell),
  };
  const tree = treeFacts(host, sources);
  const { root, kernel, moduleDir } = host;
  const outOfTree = readOutOfTree(host);
  const ofTree = {
    root,
    kernel,
    moduleDir,
    tree,
    releases: [],
    live: undefined,
    running: undefined,
    outOfTree,
    ownFiles: readOwnFiles(host, sources, outOfTree),
    enforced: isEnforced(next.kernel),
  };
  return [...findings(TREE_CHECKS, ofTree), ...findings(NEXT_CHECKS, next)];
}

/** Modules with all that they need in the next kernel, which may be more than they need now. */
function withDependencies({ matcher }: Sources, modules: readonly ModuleName[]): readonly ModuleName[] {
  const all = new Set(modules);
  for (const module of all)
    for (const path of matcher.dependencies(module)?.depends ?? []) all.add(moduleNameFromPath(path));
  return [...all];
}

function examineAll(
  host: Host,
  sources: Sources,
  modules: readonly ModuleName[],
  tell: Tell,
): ReadonlyMap<ModuleName, ModuleEvidence> {
  const examiner = new Examiner(host, sources);
  const examined = new Map<ModuleName, ModuleEvidence>();
  for (const module of modules) {
    tell('modules', examined.size, modules.length);
    const found = sources.matcher.dependencies(module);
    if (found === undefined) continue;
    const path = moduleFile(host, found.path);
    // In use together, they provide symbols to each other.
    examined.set(module, examiner.examine({ module, path, parameters: [], before: new Set(modules) }));
  }
  return examined;
}

function modulesFinding({ inUse, loaded, sources, now, host }: Next): Finding {
  if (loaded === 0) return { state: 'unknown', summary: `no module is loaded here (${now.proc}/modules)` };
  const missing = inUse.filter((module) => sources.matcher.dependencies(module) === undefined);
  if (missing.length === 0) return { state: 'ok', summary: `all ${loaded} are there or built in` };
  const headers = existsInRoot(host.root, `${host.moduleDir}/build`);
  return {
    state: 'wrong',
    summary: `${counted(missing.length, 'module')} of ${loaded} would not be there`,
    evidence: [missing.join(', ')],
    remedy: `modules from elsewhere must be built for it: ${headers ? '' : 'install its headers, then '}${dkmsCommand(host.kernel)}. Others may have been renamed or removed`,
  };
}

function devicesFinding({ host, now }: Next): Finding {
  const { devices } = replayDevices(host, {
    devices: readBoundDevices(now.sysfs),
    name: 'this machine',
    ranOn: now.kernel,
  });
  const of = (fate: Fate) => devices.filter((device) => device.fate === fate);
  const [kept, lost, others, unknown] = [of('kept'), of('lost'), of('replaced'), of('unknown')];
  const evidence = [...lost, ...others, ...unknown].map(
    (device) => `${describe(device)}, driven by ${device.driver ?? ''}: ${device.because ?? device.verdict}`,
  );
  if (lost.length > 0)
    return {
      state: 'wrong',
      summary: `${counted(lost.length, 'device')} would lose ${lost.length === 1 ? 'its' : 'their'} driver`,
      evidence,
      remedy: lost[0]?.remedy,
    };
  if (others.length + unknown.length > 0) {
    const words = [
      ...(others.length === 0 ? [] : [`${counted(others.length, 'device')} would have another driver`]),
      ...(unknown.length === 0 ? [] : [`of ${counted(unknown.length, 'device')} it cannot be told`]),
    ];
    return { state: 'warning', summary: words.join(', '), evidence, remedy: (others[0] ?? unknown[0])?.remedy };
  }
  return kept.length === 0
    ? { state: 'unknown', summary: 'no device here has a driver that a module could be' }
    : { state: 'ok', summary: `all ${kept.length} would have a driver` };
}

function filesFinding({ examined, host }: Next): Finding {
  const config = readConfigEvidence(host);
  const refused: Array<readonly [ModuleName, Diagnosis]> = [];
  for (const [module, evidence] of examined) {
    const diagnosis = predict({ module: evidence, kernel: undefined, config });
    if (diagnosis !== undefined) refused.push([module, diagnosis]);
  }
  if (refused.length === 0) return { state: 'ok', summary: 'there, whole, and built for that kernel' };
  return {
    state: 'wrong',
    summary: `${counted(refused.length, 'module')} would be refused`,
    evidence: refused.map(([module, { cause, evidence }]) => `${module} (${cause}): ${evidence.join('; ')}`),
    remedy: refused[0]?.[1].remedy,
  };
}

function signaturesFinding({ examined, kernel }: Next): Finding {
  const enforced = isEnforced(kernel);
  const bad: string[] = [];
  let undecided = 0;
  for (const [module, { file }] of examined) {
    if (file.kind !== 'module') continue;
    const { signature } = file;
    if (signature.kind === 'unsigned') bad.push(`${module} is not signed`);
    else if (signature.kind === 'damaged') bad.push(`${module}: its signature is damaged: ${signature.why}`);
    else if (signature.kind === 'unsupported') bad.push(`${module}: its signature does not count: ${signature.why}`);
    else if (signature.trust.kind === 'unknown-key')
      bad.push(`${module} is signed by ${quoted(signature.signer)}, whose key is not trusted here`);
    else if (signature.trust.kind === 'undecided') undecided++;
  }
  if (bad.length === 0) {
    const rest = undecided === 0 ? '' : '; whether that kernel has their key, only it can say';
    return { state: 'ok', summary: `all are signed${rest}` };
  }
  return {
    state: enforced ? 'wrong' : 'warning',
    summary: `${counted(bad.length, 'module')} without a good signature${enforced ? ', and signatures are enforced here' : '; nothing enforces signatures now'}`,
    evidence: bad,
    remedy: 'sign them with an enrolled key (mokutil --list-enrolled shows which)',
  };
}

function firmwareFinding({ host, now, sources, inUse }: Next): Finding {
  const present = findSources(now);
  const sourcesNow = present.kind === 'no-tree' ? sources : present;
  const before = new Map(firmwareFacts(now, sourcesNow, inUse).map((facts) => [facts.module, facts]));
  const worse = firmwareFacts(host, sources, inUse).filter(({ module, named, missing }) => {
    const had = before.get(module);
    return missing.length === named && (had === undefined || had.missing.length < had.named);
  });
  if (worse.length === 0) return { state: 'ok', summary: 'what is there now would be there' };
  return {
    state: 'warning',
    summary: `${counted(worse.length, 'module')} ${worse.length === 1 ? 'names' : 'name'} firmware of which nothing is there`,
    evidence: worse.map(({ module, missing }) => `${module}: ${missing.slice(0, 3).join(', ')}`),
    remedy: 'install a newer firmware package together with the kernel',
  };
}

function initramfsFinding({ host, now, sources, inUse }: Next): Finding {
  const next = readInitramfs(host);
  const current = readInitramfs(now);
  if (next.kind === 'unreadable')
    return { state: 'unknown', summary: `${next.file}: ${next.why}`, remedy: 'run it as root' };
  if (next.kind === 'none') {
    return current.kind === 'none'
      ? { state: 'ok', summary: 'none is used' }
      : {
          state: 'wrong',
          summary: `there is none for ${host.kernel} in ${host.root}/boot`,
          remedy: `make it: update-initramfs -c -k ${host.kernel}, or dracut --kver ${host.kernel}`,
        };
  }
  if (current.kind !== 'initramfs')
    return { state: 'ok', summary: `${next.file}, ${counted(next.modules.size, 'module')}` };
  const missing = inUse.filter(
    (module) =>
      current.modules.has(module) && !next.modules.has(module) && sources.matcher.dependencies(module) !== undefined,
  );
  if (missing.length === 0)
    return { state: 'ok', summary: `${next.file} has every module in use that the present one has` };
  return {
    state: 'warning',
    summary: `${counted(missing.length, 'module')} in use would not be in the initramfs, and load later`,
    evidence: [missing.join(', ')],
    remedy: `rebuild it: update-initramfs -u -k ${host.kernel}, or dracut -f --kver ${host.kernel}`,
  };
}

/** Compares what is in use now with the next kernel. */
const NEXT_CHECKS: ReadonlyArray<Check<Next>> = [
  { id: 'next-modules', title: 'modules in use', run: modulesFinding },
  { id: 'next-devices', title: 'devices in use', run: devicesFinding },
  { id: 'next-files', title: 'files in use', run: filesFinding },
  { id: 'next-signatures', title: 'signatures', run: signaturesFinding },
  { id: 'next-firmware', title: 'firmware', run: firmwareFinding },
  { id: 'next-initramfs', title: 'initramfs', run: initramfsFinding },
];
