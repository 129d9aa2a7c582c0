/** Checks of the module tree. Pure: facts in, findings out. */
import { DKMS_CHECKS } from './health-dkms.ts';
import { problemText, type Problem } from '../../base/problem.ts';
import type { Check, Finding, HealthFacts, TreeHealth } from './health.ts';
import { counted, listed } from '../../base/words.ts';

/** How many lines to show of a list that may have thousands. */
const SHOWN = 5;

/** Whether there are modules for this kernel. */
function moduleTree(facts: TreeHealth): Finding | undefined {
  const { tree, closed, kernel, moduleDir, releases, running } = facts;
  if (tree !== undefined) return { state: 'ok', summary: `${counted(tree.modules, 'module')} in ${moduleDir}` };
  if (closed !== undefined) return { state: 'wrong', summary: closed.reason, remedy: closed.remedy };
  const others = releases.filter((release) => release !== kernel);
  if (facts.live?.moduleSupport === false)
    return { state: 'ok', summary: `none in ${moduleDir}, and none could be loaded` };
  if (others.length === 0) {
    return {
      state: 'wrong',
      summary: `there are no modules for kernel ${kernel}, nor for any other`,
      evidence: [`no directory ${moduleDir}`],
      remedy: "install the kernel's package of modules",
    };
  }
  return running === kernel
    ? {
        state: 'wrong',
        summary: `running ${kernel}, on disk only ${listed(others)}: nothing can load until reboot`,
        evidence: [`no directory ${moduleDir}`],
        remedy: 'reboot into a kernel that is on disk, or install the modules of the running one again',
      }
    : {
        state: 'wrong',
        summary: `there are no modules for kernel ${kernel}, only for ${listed(others)}`,
        evidence: [`no directory ${moduleDir}`],
        remedy: 'name one of these with --kernel',
      };
}

/** Whether the files of modules.dep exist. */
function moduleFiles({ tree }: TreeHealth): Finding | undefined {
  if (tree === undefined) return undefined;
  if (tree.missing.length === 0 && tree.unreadable.length > 0) {
    return {
      state: 'warning',
      summary: `${counted(tree.unreadable.length, 'file')} of the tree cannot be looked at`,
      evidence: some(tree.unreadable),
    };
  }
  if (tree.missing.length === 0) return { state: 'ok', summary: 'every file of modules.dep is there' };
  return {
    state: 'wrong',
    summary: `${counted(tree.missing.length, 'module')} of modules.dep ${tree.missing.length === 1 ? 'has' : 'have'} no file`,
    evidence: some(tree.missing),
    remedy: 'install the package of modules again, then run depmod',
  };
}

/** Whether the indexes are complete and up to date. */
function indexes(facts: TreeHealth): Finding | undefined {
  const { tree } = facts;
  if (tree === undefined) return undefined;
  const command = depmod(facts);
  if (tree.problems.length > 0) {
    return {
      state: 'wrong',
      summary: 'indexes are missing or damaged',
      evidence: tree.problems.map(problemText),
      remedy: tree.problems.every(isOfKernelBuild)
        ? `install the kernel's package of modules again: its build makes these files, not depmod`
        : `rebuild them: ${command}`,
    };
  }
  if (tree.unlisted.length > 0) {
    const many = tree.unlisted.length === 1 ? 'is' : 'are';
    return {
      state: 'wrong',
      summary: `older than the modules: ${counted(tree.unlisted.length, 'module')} ${many} not in modules.dep and cannot be found`,
      evidence: some(tree.unlisted),
      remedy: `rebuild them: ${command}`,
    };
  }
  if (tree.newer.length > 0) {
    return {
      state: 'warning',
      summary: `${counted(tree.newer.length, 'module file')} changed after depmod ran: aliases and dependencies may have`,
      evidence: some(tree.newer),
      remedy: `rebuild them: ${command}`,
    };
  }
  return { state: 'ok', summary: 'whole, and newer than every module' };
}

/** Whether only the kernel's build has what is missing. */
function isOfKernelBuild({ code, file }: Problem): boolean {
  return code === 'missing' && /\/modules\.builtin(\.modinfo)?$/.test(file);
}

/** Whether the firmware that modules name exists. */
function firmwareFiles({ firmware, firmwareFolders, root, live }: HealthFacts): Finding | undefined {
  // Without devices no firmware is needed.
  if (firmware.length === 0 && live === undefined) return undefined;
  if (firmware.length === 0) return { state: 'ok', summary: 'no module in use names any' };
  const named = firmware.reduce((sum, each) => sum + each.named, 0);
  const bare = firmware.filter(({ missing, named: all, failed }) => failed.length > 0 || missing.length === all);
  if (firmwareFolders.length === 0 && bare.length > 0) {
    return {
      state: 'warning',
      summary: `there is no ${root}/lib/firmware, and ${counted(bare.length, 'module')} may ask for files of it`,
      evidence: bare.map(firmwareText),
      remedy: 'install firmware-linux, linux-firmware or the like',
    };
  }
  if (bare.length === 0)
    return {
      state: 'ok',
      summary: `${counted(firmware.length, 'module')} in use name ${named} files; each has at least one of its own`,
    };
  const failed = bare.some((each) => each.failed.length > 0);
  return {
    state: failed ? 'wrong' : 'warning',
    summary: failed
      ? 'the kernel asked for firmware that is not there'
      : `${counted(bare.length, 'module')} in use or wanted ${bare.length === 1 ? 'names' : 'name'} firmware of which nothing is there`,
    evidence: bare.map(firmwareText),
    remedy:
      'install the package that has it (Debian: apt-file search FILE; firmware-misc-nonfree, firmware-realtek, …). A device may need none of it',
  };
}

function firmwareText({ module, named, missing, failed }: HealthFacts['firmware'][number]): string {
  if (failed.length > 0) return `${module}: the kernel did not find ${failed.join(', ')}`;
  return `${module}: ${missing.slice(0, 2).join(', ')}${named > 2 ? ` and ${named - 2} more` : ''}`;
}

function some(list: readonly string[]): readonly string[] {
  return list.length <= SHOWN ? list : [...list.slice(0, SHOWN), `and ${list.length - SHOWN} more`];
}

function depmod({ root, kernel }: TreeHealth): string {
  return root === '' ? `depmod ${kernel}` : `depmod -b ${root} ${kernel}`;
}

/** Checks of the module tree, which hold for any root and release. */
export const TREE_CHECKS: readonly Check<TreeHealth>[] = [
  { id: 'module-tree', title: 'modules', run: moduleTree },
  { id: 'tree-complete', title: 'module files', run: moduleFiles },
  { id: 'indexes', title: 'indexes', run: indexes },
  ...DKMS_CHECKS,
];

/** The check of the firmware that modules name. */
export const FIRMWARE_CHECK: Check = { id: 'firmware', title: 'firmware', run: firmwareFiles };
