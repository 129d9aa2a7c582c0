/** The words of everything that dkms's commands tell. Builds text. */
import type { ConfMessage } from '../../records/dkms/conf-message.ts';
import type { DkmsMessage } from '../../records/dkms/message.ts';
import { buildText } from './build-text.ts';
import { confText } from './conf-text.ts';
import type { DkmsText } from './dkms-line.ts';
import { installText, isInstallMessage } from './install-text.ts';
import { isPlanMessage, planText } from './plan-text.ts';
import { isPostinstMessage, postinstText } from './postinst-text.ts';
import { isRunMessage, runText } from './run-text.ts';

/** What `message` prints, and where: `{ to: 'out', text: 'Running depmod...' }`. */
export function dkmsText(message: DkmsMessage): DkmsText {
  if (isInstallMessage(message)) return installText(message);
  if (isPlanMessage(message)) return planText(message);
  if (isPostinstMessage(message)) return postinstText(message);
  if (isRunMessage(message)) return runText(message);
  return isConfMessage(message) ? confText(message) : buildText(message);
}

function isConfMessage(message: { readonly kind: string }): message is ConfMessage {
  return message.kind.startsWith('conf-');
}
