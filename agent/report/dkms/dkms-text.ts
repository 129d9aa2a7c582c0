/** The words of everything that dkms's commands tell. Builds text. */
import type { DkmsMessage } from '../../records/dkms/message.ts';
import { buildText } from './build-text.ts';
import type { DkmsText } from './dkms-line.ts';
import { installText, isInstallMessage } from './install-text.ts';
import { isLookMessage, lookText } from './look-text.ts';
import { isPlanMessage, planText } from './plan-text.ts';
import { isPostinstMessage, postinstText } from './postinst-text.ts';
import { isRunMessage, runText } from './run-text.ts';

/** What `message` prints, and where: `{ to: 'out', text: 'Running depmod...' }`. */
export function dkmsText(message: DkmsMessage): DkmsText {
  if (isInstallMessage(message)) return installText(message);
  if (isPlanMessage(message)) return planText(message);
  if (isPostinstMessage(message)) return postinstText(message);
  if (isRunMessage(message)) return runText(message);
  return isLookMessage(message) ? lookText(message) : buildText(message);
}
