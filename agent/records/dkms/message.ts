/** Everything that dkms's commands tell, as plain data: people read it by report/dkms/, programs as JSON. */
import type { BuildMessage } from './build-message.ts';
import type { ConfMessage } from './conf-message.ts';
import type { InstallMessage } from './install-message.ts';
import type { PlanMessage } from './plan-message.ts';
import type { PostinstMessage } from './postinst-message.ts';
import type { RunMessage } from './run-message.ts';

/** One message. Its parts are those of the room. */
export type DkmsMessage = BuildMessage | ConfMessage | InstallMessage | PlanMessage | PostinstMessage | RunMessage;

/** Takes a message at the moment it is true. Scripts read the lines of standard output and standard error in one order. */
export type Tell = (message: DkmsMessage) => void;
