/** What this machine shows of the kernel's trust: keyrings of the running kernel, which says nothing about another. Reads only. */
import type { Host } from '../../base/host.ts';
import { readKeyrings } from '../../facts/kernel/keyring.ts';
import type { TrustFacts } from '../../trust/trust.ts';
import { vouchingRings } from '../../trust/vouching.ts';
import { isLive } from '../kernel-evidence.ts';

/** The facts that trustOf decides by; without keyrings for another root or release. */
export function readTrustFacts(host: Host): TrustFacts {
  return { keyrings: isLive(host) ? readKeyrings(host) : [], vouching: vouchingRings(host) };
}
