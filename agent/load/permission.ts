/** Whether this process may insert modules. Reads only. */
import { PlugdError } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { readInsertionFacts } from '../facts/kernel/kernel-state.ts';

/**
 * Returns when modules can be inserted here, and throws what stands in the way, the most fundamental first. Errors:
 * `no-module-support`, `no-permission`, `unsupported` (kernel.modules_disabled).
 *
 *     mayInsert(openHost({}));
 */
export function mayInsert(host: Host): void {
  const facts = readInsertionFacts(host);
  const plan = 'plugd coldplug -n shows the plan without changing anything';
  if (!facts.moduleSupport) {
    throw new PlugdError(
      'no-module-support',
      'this kernel was built without loadable modules (there is no /proc/modules)',
      {
        remedy: `its drivers are built in, nothing can be loaded; ${plan}`,
      },
    );
  }
  if (!facts.capSysModule) {
    throw facts.root
      ? new PlugdError(
          'no-permission',
          'root here lacks CAP_SYS_MODULE (a container, or a service with reduced capabilities)',
          {
            remedy: `run it on the host, or grant the capability; ${plan}`,
          },
        )
      : new PlugdError('no-permission', 'only root may load kernel modules', {
          remedy: `run it as root (sudo plugd coldplug); ${plan}`,
        });
  }
  if (facts.modulesDisabled) {
    throw new PlugdError('unsupported', 'module loading is switched off until reboot (kernel.modules_disabled is 1)', {
      remedy: `reboot to load modules again; ${plan}`,
    });
  }
}
