/** Whether this process can insert modules at all. Reads the kernel's state; inserts nothing. */
import { PlugdError, type ErrorCode } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { lackOfPrivilege, modulesDisabled } from '../diagnosis/diagnosis-kernel.ts';
import type { Explanation } from '../diagnosis/diagnosis-facts.ts';
import { readKernelState } from '../facts/kernel/kernel-state.ts';

/**
 * Returns when modules can be inserted here, and throws what stands in the way, the most fundamental first. Errors:
 * `no-module-support`, `no-permission`, `unsupported` (kernel.modules_disabled).
 *
 *     mayInsert(openHost({}));
 */
export function mayInsert(host: Host): void {
  const kernel = readKernelState(host);
  const switchedOff = modulesDisabled({ kernel, refusal: undefined });
  if (!kernel.moduleSupport) refuse('no-module-support', switchedOff);
  refuse('no-permission', lackOfPrivilege({ kernel }));
  refuse('unsupported', switchedOff);
}

function refuse(code: ErrorCode, found: Explanation | undefined): void {
  if (found === undefined) return;
  const { evidence, remedy } = found;
  throw new PlugdError(code, evidence.join('; '), {
    remedy: `${remedy}; plugd coldplug -n shows the plan without changing anything`,
  });
}
