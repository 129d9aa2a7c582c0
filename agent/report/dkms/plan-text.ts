/** The words of `dkms --dry-run`. Builds text. */
import type { PlanMessage, PlanReason, PlanStep } from '../../records/dkms/plan-message.ts';
import { confText } from './conf-text.ts';
import { error, out, type DkmsText } from './dkms-line.ts';

const STEPS: Readonly<Record<PlanStep, string>> = {
  add: 'add',
  build: 'build',
  fetch: 'take from the cache',
  install: 'install',
  uninstall: 'uninstall',
  unbuild: 'delete the build',
  forget: 'forget this version',
};

type Words = { readonly [Kind in PlanReason['kind']]: (why: Extract<PlanReason, { kind: Kind }>) => string };

const WHY: Words = {
  'not-built': () => 'it is not built for this kernel',
  'failed-before': ({ log }) => `it is not built for this kernel; the last build failed, see ${log}`,
  'not-installed': () => 'it is built and not installed',
  'other-version': ({ version }) => `version ${version} is installed`,
  'not-in-place': () => 'it is installed, but a module is not in its place',
  forced: () => '--force',
  asked: () => 'the command asks for it',
  installed: () => 'it is installed',
  built: () => 'it is built',
  absent: () => 'it is neither built nor installed for this kernel',
  'autoinstall-off': () => 'its dkms.conf does not set AUTOINSTALL',
  excluded: ({ directive, record, value }) => `${directive}[${record}]="${value}" does not fit this kernel`,
  broken: () => 'its sources are missing, or the link to them',
  'no-source': ({ folder }) => `${folder} does not exist`,
  'bad-conf': ({ errors }) =>
    errors.map((each) => confText({ kind: 'conf-error', error: each }).text.trim()).join('; ') ||
    'its dkms.conf is bad',
  'no-conf': ({ file }) => `${file} does not exist`,
  'no-kernel-tree': ({ folder }) => `${folder} does not exist`,
  'no-headers': ({ package: name }) =>
    `the kernel's headers are missing${name === undefined ? '' : `: install ${name}`}`,
  'no-compiler': ({ program }) => `the kernel's compiler is missing: install ${program}`,
  'depends-missing': ({ names }) => `it needs ${names.join(' ')}, which this plan does not install`,
  'depends-unknown': ({ names }) => `it waits for ${names.join(' ')}, which nobody has added`,
};

/** Whether a message is one of a plan. */
export function isPlanMessage(message: { readonly kind: string }): message is PlanMessage {
  return message.kind === 'plan' || message.kind.startsWith('plan-');
}

/** What `message` prints, and where: `demo/1.0, 6.1.0, x86_64: build, install: it is not built for this kernel`. */
export function planText(message: PlanMessage): DkmsText {
  if (message.kind === 'plan-unknown')
    return error(
      `--dry-run does not know what ${message.action} would do, so nothing was done.`,
      'It knows build, install, autoinstall, uninstall, unbuild, remove and prune.',
    );
  if (message.kind === 'plan-end') {
    const { nodes, working, blocked } = message;
    return out(`${nodes} to look at, ${working} to do, ${blocked} that cannot be done. Nothing was changed.`);
  }
  const { module, release, arch, steps, why, after } = message;
  const verb = steps.length === 0 ? 'nothing' : steps.map((step) => STEPS[step]).join(', ');
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WHY[why.kind] as (one: PlanReason) => string;
  const order = after.length === 0 ? '' : `; after ${after.join(', ')}`;
  return out(`${module}, ${release}, ${arch}: ${verb}: ${words(why)}${order}`);
}
