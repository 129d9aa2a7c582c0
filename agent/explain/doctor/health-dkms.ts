/** The checks of out-of-tree modules that dkms builds: what a kernel lacks, who signed them, older copies. Pure: facts in, findings out. */
import { counted, quoted } from '../../base/words.ts';
import { nameOf } from '../../dkms/tree/dkms-places.ts';
import { readinessRemedy, readinessText } from '../dkms/readiness-words.ts';
import type { Check, Finding, TreeHealth } from './health.ts';

/** Whether each registered module is installed for the kernel. One that no other kernel has either may be left out on purpose. */
function outOfTreeModules({ outOfTree, kernel }: TreeHealth): Finding | undefined {
  if (outOfTree.length === 0) return undefined;
  const lacking = outOfTree.filter(({ readiness }) => readiness !== 'installed');
  const total = counted(outOfTree.length, 'module');
  if (lacking.length === 0) return { state: 'ok', summary: `${total} of dkms, all installed for ${kernel}` };
  const inUse = lacking.some(({ elsewhere, readiness }) => elsewhere.length > 0 && readiness !== 'older');
  const loud = inUse || lacking.some(({ readiness }) => readiness === 'failed' || readiness === 'broken');
  // One command builds the others. A module that cannot be built needs a remedy of its own.
  const order = ['failed', 'no-headers'];
  const worst = order.flatMap((state) => lacking.find(({ readiness }) => readiness === state) ?? [])[0] ?? lacking[0];
  return {
    state: inUse ? 'wrong' : loud ? 'warning' : 'ok',
    summary: `${lacking.length} of ${total} of dkms ${lacking.length === 1 ? 'is' : 'are'} not installed for ${kernel}`,
    evidence: lacking.map((each) => `${nameOf(each.module)}: ${readinessText(each)}`),
    remedy: loud && worst !== undefined ? readinessRemedy(worst, kernel) : undefined,
  };
}

/** Whether the kernel would take the installed ones, as far as their signatures go. */
function ownSignatures({ ownFiles, live, enforced }: TreeHealth): Finding | undefined {
  if (ownFiles.length === 0 || (live !== undefined && live.signatureEnforced === undefined)) return undefined;
  const bad = ownFiles.flatMap(({ module, of, signature }) => {
    const name = `${module} of ${of}`;
    if (signature.kind === 'unsigned') return [`${name} is not signed`];
    if (signature.kind !== 'signed') return [`${name}: its signature is ${signature.kind}: ${signature.why}`];
    return signature.trust.kind === 'unknown-key'
      ? [`${name} is signed by ${quoted(signature.signer)}, whose key is not enrolled`]
      : [];
  });
  if (bad.length === 0) return { state: 'ok', summary: 'those that dkms built are signed' };
  const many = counted(bad.length, 'module');
  return {
    state: enforced ? 'wrong' : 'ok',
    summary: enforced
      ? `the kernel would refuse ${many} of dkms: signatures are enforced here`
      : `${many} of dkms without a good signature; nothing enforces signatures now`,
    evidence: bad,
    remedy: 'plugd keys status shows the key and the next step; plugd dkms resign signs them again',
  };
}

/** Whether the initramfs has another build of a module than the tree. */
function ownCopies({ ownFiles, kernel }: TreeHealth): Finding | undefined {
  const stale = ownFiles.flatMap((file) => (file.stale === undefined ? [] : [{ ...file, stale: file.stale }]));
  const [first] = stale;
  if (first === undefined) return undefined;
  return {
    state: 'warning',
    summary: `${first.stale.image} has another copy of ${counted(stale.length, 'module')} of dkms, and loads it first`,
    evidence: stale.map(({ module, of, stale: { because } }) => `${module} of ${of}: ${because}`),
    remedy: `rebuild it: update-initramfs -u -k ${kernel}, or dracut -f --kver ${kernel}`,
  };
}

/** Of any tree, this kernel's or the next one's. */
export const DKMS_CHECKS: readonly Check<TreeHealth>[] = [
  { id: 'out-of-tree', title: 'out-of-tree modules', run: outOfTreeModules },
  { id: 'out-of-tree-signatures', title: 'their signatures', run: ownSignatures },
  { id: 'out-of-tree-copies', title: 'their copies', run: ownCopies },
];
