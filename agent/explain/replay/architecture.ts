/** Whether a recording is of a machine that a tree's kernel can run on at all. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { Recording } from '../../facts/devices/recording.ts';
import { machineText, readKernelSample } from '../../facts/trees/kernel-sample.ts';

/** One family of processors: which names uname -m and ELF have for it, and what only its machines have among their devices. */
interface Family {
  readonly name: string;
  readonly names: RegExp;
  readonly modalias?: RegExp;
  /** `modalias` counts only if a device of the machine matches this, too. */
  readonly beside?: RegExp;
  readonly subsystem?: RegExp;
  readonly devpath?: RegExp;
  /** The families that its devices fit, where they tell no more than that. */
  readonly among?: readonly string[];
}

const FAMILIES: readonly Family[] = [
  { name: 'x86', names: /^(i[3-6]86|x86_64|amd64)$/, modalias: /^(cpu:type:x86|x86cpu:|isa:)/ },
  { name: 's390', names: /^s390x?$/, subsystem: /^(ccw|css|ccwgroup|ap)$/ },
  { name: 'powerpc', names: /^(ppc|powerpc)/, modalias: /^of:.*Cibm,(power|opal)|^vio:/ },
  { name: 'arm64', names: /^(aarch64|arm64)/, devpath: /^\/devices\/armv8/ },
  {
    name: 'arm',
    names: /^arm(v\d.*|hf|el)?$/,
    // Processors of 32 bits and what only they have; their interrupt controllers have successors in ARM64.
    modalias: /^of:.*C(calxeda,|arm,(cortex-a(5|7|8|9|12|15|17)-(pmu|scu|twd-\w+)|pl310))|^platform:omap/,
    devpath: /^\/devices\/armv7/,
  },
  {
    name: 'arm of some width',
    names: /^$/,
    modalias: /^of:.*C(arm,(cortex-a|pl\d|psci|gic|smp-twd|armv)|ti,(omap|am\d)|brcm,bcm2)/,
    subsystem: /^amba$/,
    among: ['arm', 'arm64'],
  },
  // Of machines with ACPI only PCs have this speaker; MIPS and POWER have it without.
  { name: 'x86', names: /^$/, modalias: /^platform:pcspkr$/, beside: /^acpi:/ },
  // Tables of ACPI, which x86 and servers of ARM have.
  { name: 'a machine with ACPI', names: /^$/, modalias: /^acpi:(LNX|PNP)/, among: ['x86', 'arm64'] },
  { name: 'riscv', names: /^riscv/, modalias: /^of:.*Criscv,/ },
  { name: 'loongarch', names: /^loongarch/ },
  { name: 'mips', names: /^mips/ },
  { name: 'sparc', names: /^sparc/ },
];

/** `x86_64` → `x86`; undefined for a name that is none. */
export function familyOfName(architecture: string): string | undefined {
  return FAMILIES.find(({ names }) => names.test(architecture))?.name;
}

/** The family of a recorded machine: by its first line, else by devices that only one family has; undefined where nothing tells. */
export function familyOf({ header, devices }: Recording): string | undefined {
  if (header.architecture !== undefined) return familyOfName(header.architecture);
  const asks = (pattern: RegExp) => devices.some(({ modaliases }) => modaliases.some((text) => pattern.test(text)));
  return FAMILIES.find(
    ({ modalias, beside, subsystem, devpath }) =>
      (modalias !== undefined && asks(modalias) && (beside === undefined || asks(beside))) ||
      (subsystem !== undefined && devices.some((device) => subsystem.test(device.subsystem))) ||
      (devpath !== undefined && devices.some((device) => devpath.test(device.devpath))),
  )?.name;
}

/** The architecture of the host's modules, `x86_64`; undefined where no module tells. */
export function treeArchitecture(host: Host): string | undefined {
  const sample = readKernelSample(host);
  return sample === undefined ? undefined : machineText(sample);
}

/** Refuses a recording of another architecture than the tree's. Errors: `usage`. */
export function needSameArchitecture(recording: Recording, tree: string | undefined, file: string): void {
  const recorded = familyOf(recording);
  const here = tree === undefined ? undefined : familyOfName(tree);
  const among = FAMILIES.find(({ name }) => name === recorded)?.among ?? [recorded];
  if (recorded === undefined || here === undefined || among.includes(here)) return;
  throw new PlugdError(
    'usage',
    `the recorded machine is ${recording.header.architecture ?? recorded}, the modules of this tree are ${tree ?? here}`,
    { file, remedy: 'hold it against an image of its own architecture' },
  );
}
