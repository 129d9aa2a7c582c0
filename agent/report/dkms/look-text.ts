/** The words of what a look at the DKMS tree tells: states of modules, and what is wrong with files of configuration. Builds text. */
import type { ConfMessage } from '../../records/dkms/conf-message.ts';
import type { RunMessage } from '../../records/dkms/run-message.ts';
import { confText } from './conf-text.ts';
import { error, out, type DkmsText } from './dkms-line.ts';

/** A line of `dkms status`, and what keeps it from being a good one. */
export type LookMessage = ConfMessage | Extract<RunMessage, { readonly kind: 'status' | 'broken' }>;

const MANUAL = 'Manual intervention is required!';

/** Whether a message is of this kind. */
export function isLookMessage(message: { readonly kind: string }): message is LookMessage {
  return message.kind === 'status' || message.kind === 'broken' || message.kind.startsWith('conf-');
}

/** What `message` prints, and where: `{ to: 'out', text: 'v4l2loopback/0.12.7: added\n' }`. */
export function lookText(message: LookMessage): DkmsText {
  if (message.kind === 'status') return statusText(message);
  return message.kind === 'broken' ? brokenText(message) : confText(message);
}

function statusText(status: Extract<LookMessage, { readonly kind: 'status' }>): DkmsText {
  const { kernel } = status;
  const target = kernel === undefined ? status.module : `${status.module}, ${kernel.release}, ${kernel.arch}`;
  const notes = [
    status.originals ? ' (Original modules exist)' : '',
    status.missing ? ' (Built modules are missing in the kernel modules folder)' : '',
    status.differs ? ' (Differences between built and installed modules)' : '',
  ];
  return out(`${target}: ${status.state}${notes.join('')}`);
}

function brokenText({ module, during }: Extract<LookMessage, { readonly kind: 'broken' }>): DkmsText {
  const missing = 'issing the source directory or the symbolic link pointing to it.';
  if (during === 'action') return error(`${module} is broken!`, `M${missing}`, MANUAL);
  if (during === 'autoinstall') return error(`${module} is broken! M${missing}`, MANUAL);
  return error(`${module}: Missing the module source directory or the symbolic link pointing to it.`, MANUAL);
}
