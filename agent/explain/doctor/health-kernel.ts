import type { Check } from './health.ts';
import { counted, listed } from '../../base/words.ts';

/** Checks of the kernel that runs and of what this process may do. Not for another root. */
export const KERNEL_CHECKS: readonly Check[] = [
  {
    id: 'module-support',
    title: 'module support',
    run: ({ live, config }) => {
      if (live === undefined) {
        if (config === undefined) return undefined;
        return config.value('CONFIG_MODULES') === 'y'
          ? { state: 'ok', summary: `${config.file} has CONFIG_MODULES=y` }
          : {
              state: 'wrong',
              summary: `this kernel is built without modules (${config.file})`,
              remedy: 'build it with CONFIG_MODULES=y',
            };
      }
      if (live.moduleSupport) return { state: 'ok', summary: 'the kernel loads modules' };
      return {
        state: 'wrong',
        summary: 'this kernel has no module support: all its drivers are built in, nothing can be loaded',
        evidence: ['there is no /proc/modules'],
        remedy: 'nothing to do if its drivers are enough; else run a kernel with CONFIG_MODULES=y',
      };
    },
  },
  {
    id: 'modules-disabled',
    title: 'modules_disabled',
    run: ({ live }) => {
      if (live?.moduleSupport !== true) return undefined;
      if (!live.modulesDisabled) return { state: 'ok', summary: 'kernel.modules_disabled is 0' };
      return {
        state: 'wrong',
        summary: 'kernel.modules_disabled is 1: nothing can be loaded or removed until reboot',
        remedy: 'reboot; look in /etc/sysctl.d for what sets it, if it should not',
      };
    },
  },
  {
    id: 'privileges',
    title: 'privileges',
    run: ({ live }) => {
      if (live === undefined) return undefined;
      const { uid, capabilities, sysModuleBounded, initialUserNamespace, seccomp } = live.privileges;
      const evidence = seccomp === 'filter' ? ['a seccomp filter is set; it may refuse system calls'] : [];
      if (uid !== 0)
        return {
          state: 'unknown',
          summary: 'not root: some facts cannot be read, and root may be allowed more',
          evidence,
          remedy: 'run it as root',
        };
      if (initialUserNamespace === false) {
        return {
          state: 'wrong',
          summary: 'in a user namespace of its own: its root may not load modules',
          evidence,
          remedy: 'run plugd on the host',
        };
      }
      if (capabilities.SYS_MODULE) return { state: 'ok', summary: 'root with CAP_SYS_MODULE', evidence };
      const bounded = sysModuleBounded ? '' : ', nor can it get it: it is not in the bounding set';
      return {
        state: 'wrong',
        summary: `root without CAP_SYS_MODULE${bounded}`,
        evidence,
        remedy: 'run plugd on the host, or grant the capability',
      };
    },
  },
  {
    id: 'uevents',
    title: 'uevents',
    run: ({ live }) => {
      if (live === undefined) return undefined;
      const { initialUserNamespace, initialNetworkNamespace } = live.privileges;
      if (initialUserNamespace === false) {
        return {
          state: 'wrong',
          summary: "the kernel sends no device's uevents to a user namespace of its own (a rootless container)",
          remedy: 'run the agent on the host',
        };
      }
      if (initialNetworkNamespace === false) {
        return {
          state: 'warning',
          summary: "a network namespace of its own: other namespaces' network interfaces announce themselves elsewhere",
          remedy: 'run the agent in the first network namespace (a container: --network=host)',
        };
      }
      if (initialNetworkNamespace === undefined || initialUserNamespace === undefined)
        return { state: 'unknown', summary: 'which network namespace this is cannot be told from here' };
      return { state: 'ok', summary: 'the first user and network namespaces' };
    },
  },
  {
    id: 'lockdown',
    title: 'lockdown',
    run: ({ live, securityfs }) => {
      if (live?.moduleSupport !== true) return undefined;
      if (live.lockdown === undefined) {
        return securityfs
          ? { state: 'ok', summary: 'this kernel has no lockdown' }
          : {
              state: 'unknown',
              summary: 'securityfs is not mounted',
              remedy: 'mount -t securityfs none /sys/kernel/security',
            };
      }
      if (live.lockdown === 'none') return { state: 'ok', summary: 'off: unsigned modules are not refused for it' };
      return { state: 'ok', summary: `${live.lockdown}: only modules signed with a trusted key load` };
    },
  },
  {
    id: 'secure-boot',
    title: 'Secure Boot',
    run: ({ live, secureBoot }) => {
      if (live === undefined) return undefined;
      const { state, validationDisabled } = secureBoot;
      if (state === 'on' && validationDisabled)
        return { state: 'ok', summary: 'on, but shim was told not to verify (mokutil --disable-validation)' };
      if (state === 'on') return { state: 'ok', summary: 'on' };
      if (state === 'setup-mode')
        return {
          state: 'warning',
          summary: 'setup mode: no platform key is enrolled',
          remedy: "enrol keys in the firmware's setup",
        };
      if (state === 'unknown')
        return {
          state: 'unknown',
          summary: 'the EFI variables cannot be read',
          remedy: 'mount -t efivarfs none /sys/firmware/efi/efivars',
        };
      return { state: 'ok', summary: state === 'off' ? 'off' : 'not started by EFI' };
    },
  },
  {
    id: 'sig-enforce',
    title: 'signatures',
    run: ({ live }) => {
      if (live?.moduleSupport !== true) return undefined;
      if (live.signatureEnforced === undefined)
        return { state: 'ok', summary: 'this kernel does not look at signatures' };
      return {
        state: 'ok',
        summary: live.signatureEnforced
          ? 'enforced: only modules signed with a trusted key load'
          : 'not enforced: unsigned modules load, and taint the kernel',
      };
    },
  },
  {
    id: 'keyrings',
    title: 'keys',
    run: ({ live }) => {
      if (live?.moduleSupport !== true || live.signatureEnforced === undefined) return undefined;
      const rings = live.keyrings.filter(({ name }) => name !== '.blacklist');
      const evidence = rings.flatMap(({ name, keys, count }) =>
        keys === undefined
          ? [`${name}: ${count}, which may not be read`]
          : keys.map(({ subject, id }) => `${name}: ${subject} (${id.slice(0, 16)})`),
      );
      const summary =
        rings.length === 0
          ? 'no keyring of certificates can be seen'
          : rings.map(({ name, keys, count }) => `${name} ${keys?.length ?? count}`).join(', ');
      const enforced = live.signatureEnforced || (live.lockdown !== undefined && live.lockdown !== 'none');
      const vouching = rings
        .filter(({ name }) => name !== '.platform')
        .reduce((sum, { keys, count }) => sum + (keys?.length ?? count), 0);
      if (enforced && vouching === 0)
        return {
          state: 'wrong',
          summary: `signatures are enforced and no key can be seen: ${summary}`,
          evidence,
          remedy: 'look at /proc/keys as root',
        };
      return { state: 'ok', summary, evidence };
    },
  },
  {
    id: 'mok-pending',
    title: 'owner keys',
    run: ({ live, secureBoot }) => {
      if (live === undefined || secureBoot.state === 'no-efi') return undefined;
      if (secureBoot.mokPending.length === 0) return { state: 'ok', summary: 'no enrolment waits for a reboot' };
      const what = listed(
        secureBoot.mokPending.map((kind) => (kind === 'enroll' ? 'a key to be enrolled' : 'a key to be deleted')),
      );
      return {
        state: 'warning',
        summary: `${what} at the next boot`,
        remedy: 'reboot and confirm it in the MOK manager; until then its modules are refused',
      };
    },
  },
  {
    id: 'taint',
    title: 'taint',
    run: ({ live, taints }) => {
      if (live === undefined) return undefined;
      if (taints === undefined) return { state: 'unknown', summary: '/proc/sys/kernel/tainted cannot be read' };
      if (taints.length === 0) return { state: 'ok', summary: 'the kernel is not tainted' };
      const evidence = taints.map(
        ({ letter, meaning, modules }) =>
          `${letter}: ${meaning}${modules.length === 0 ? '' : ` (${modules.join(', ')})`}`,
      );
      const grave = taints.filter(({ letter }) => 'FRMBDL'.includes(letter));
      return {
        state: grave.length > 0 ? 'warning' : 'ok',
        summary: `tainted: ${taints.map(({ letter }) => letter).join('')}`,
        evidence,
        remedy: grave.length > 0 ? 'look at dmesg for what happened; reboot before anything else is blamed' : undefined,
      };
    },
  },
  {
    id: 'kernel-requests',
    title: 'kernel requests',
    run: ({ live, helper }) => {
      if (live?.moduleSupport !== true) return undefined;
      if (helper === undefined) return { state: 'unknown', summary: '/proc/sys/kernel/modprobe cannot be read' };
      if (helper.path === '') {
        return {
          state: 'wrong',
          summary: 'switched off: file systems, protocols and ciphers are not loaded by themselves',
          evidence: ['/proc/sys/kernel/modprobe is empty'],
          remedy: 'sysctl kernel.modprobe=/sbin/modprobe',
        };
      }
      if (!helper.there)
        return {
          state: 'wrong',
          summary: `the kernel would start ${helper.path}, which is not there`,
          remedy: 'install kmod, or correct kernel.modprobe',
        };
      return { state: 'ok', summary: `go to ${helper.path}` };
    },
  },
  {
    id: 'udevd',
    title: 'who loads',
    run: ({ live, udevd, agent }) => {
      if (live === undefined) return undefined;
      const rule = udevd.loads === undefined ? '' : ` (${udevd.loads.file}:${udevd.loads.line})`;
      const loads = udevd.running && udevd.loads !== undefined;
      if (loads && agent) {
        return {
          state: 'warning',
          summary: `udevd loads modules too${rule}: each device is asked for twice`,
          remedy: 'leave it to plugd: systemd/instead-of-udevd of the package (README, As a service)',
        };
      }
      if (agent) return { state: 'ok', summary: "plugd's agent" };
      if (loads) return { state: 'ok', summary: `udevd${rule}; plugd's agent does not run` };
      if (!live.moduleSupport) return { state: 'ok', summary: 'nobody, and nothing can be loaded' };
      return {
        state: 'warning',
        summary: 'nobody: neither udevd nor plugd loads drivers when devices appear',
        remedy: 'start the agent: systemctl enable --now plugd',
      };
    },
  },
  {
    id: 'devices',
    title: 'undriven devices',
    run: ({ live, waiting }) => {
      if (live === undefined) return undefined;
      if (waiting.length === 0) return { state: 'ok', summary: 'none that a module here could drive' };
      return {
        state: 'warning',
        summary: `${counted(waiting.length, 'device')} for which a module could be loaded`,
        evidence: waiting,
        remedy: live.moduleSupport ? 'plugd coldplug loads them; plugd test DEVICE tells about one' : undefined,
      };
    },
  },
];
