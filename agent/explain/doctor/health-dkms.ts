/** The check of out-of-tree modules that dkms builds: what a kernel lacks. Pure: facts in, findings out. */
import { counted } from '../../base/words.ts';
import { dkmsCommand } from '../../diagnosis/dkms-remedy.ts';
import type { ModuleReadiness, Readiness } from '../../dkms/tree/readiness.ts';
import type { Finding, TreeHealth } from './health.ts';

const WORDS: Readonly<Record<Exclude<Readiness, 'installed'>, (module: ModuleReadiness) => string>> = {
  older: () => 'another version than the newest is installed',
  built: () => 'built, but not installed',
  failed: ({ log }) => `its build failed: ${log ?? 'make.log'}`,
  'no-headers': () => "not built: the kernel's headers are missing",
  'not-built': () => 'not built',
  broken: () => 'its sources are missing',
};

/** Whether each registered module is installed for the kernel. One that no other kernel has either may be left out on purpose. */
export function outOfTreeModules({ outOfTree, kernel }: TreeHealth): Finding | undefined {
  if (outOfTree.length === 0) return undefined;
  const lacking = outOfTree.filter(({ readiness }) => readiness !== 'installed');
  const total = counted(outOfTree.length, 'module');
  if (lacking.length === 0) return { state: 'ok', summary: `${total} of dkms, all installed for ${kernel}` };
  const inUse = lacking.some(({ elsewhere, readiness }) => elsewhere.length > 0 && readiness !== 'older');
  const loud = inUse || lacking.some(({ readiness }) => readiness === 'failed' || readiness === 'broken');
  return {
    state: inUse ? 'wrong' : loud ? 'warning' : 'ok',
    summary: `${lacking.length} of ${total} of dkms ${lacking.length === 1 ? 'is' : 'are'} not installed for ${kernel}`,
    evidence: lacking.map(evidence),
    remedy: loud ? remedy(lacking, kernel) : undefined,
  };
}

function evidence(each: ModuleReadiness): string {
  const { module, readiness, elsewhere } = each;
  const why = readiness === 'installed' ? '' : WORDS[readiness](each);
  const other = elsewhere.length === 0 ? '' : `; ${elsewhere.join(', ')} ${elsewhere.length === 1 ? 'has' : 'have'} it`;
  return `${module.name}/${module.version}: ${why}${other}`;
}

function remedy(lacking: readonly ModuleReadiness[], kernel: string): string {
  const failed = lacking.find(({ readiness }) => readiness === 'failed');
  if (failed !== undefined) return `plugd dkms log ${failed.module.name}/${failed.module.version} shows why`;
  const headers = lacking.some(({ readiness }) => readiness === 'no-headers');
  return headers ? `install the headers of ${kernel}, then ${dkmsCommand(kernel)}` : dkmsCommand(kernel);
}
