/** The lines about dkms.conf that scripts and people know from dkms. Pure. */
import type { ConfError, ConfMessage } from '../../records/dkms/conf-message.ts';
import type { DkmsText } from './dkms-line.ts';
import { counted } from '../../base/words.ts';

/** `{ kind: 'conf-zero-modules' }` → `{ to: 'error', text: 'dkms.conf: Warning! Zero modules specified.\n' }`. */
export function confText(message: ConfMessage): DkmsText {
  switch (message.kind) {
    case 'conf-error':
      return error(`dkms.conf: Error! ${errorText(message.error)}\n`);
    case 'conf-bad':
      return error(`\nError! Bad conf file.\nFile: ${message.file} does not represent a valid dkms.conf file.\n`);
    case 'conf-missing':
      return error(`\nError! Could not locate dkms.conf file.\nFile: ${message.file} does not exist.\n`);
    case 'conf-zero-modules':
      return error('dkms.conf: Warning! Zero modules specified.\n');
    case 'conf-deprecated':
      return error(
        `Deprecated feature: ${message.directive} (${message.file})${message.instead === undefined ? '' : `: use ${message.instead} instead`}\n`,
      );
    case 'conf-directive':
      return { to: 'out', text: `DIRECTIVE: ${message.name}="${message.value}"\n` };
    case 'conf-settings-lost':
      return error(`Warning: ${errorText(message.error)} Its settings do not count.\n`);
    case 'conf-complaint':
      return error(message.text);
    default:
      return message satisfies never;
  }
}

function error(text: string): DkmsText {
  return { to: 'error', text };
}

/** The sentence after `dkms.conf: Error! `. The first six are dkms's own, the others plugd's. */
function errorText(found: ConfError): string {
  switch (found.kind) {
    case 'no-directive':
      return `No '${found.directive}' directive specified.`;
    case 'no-record-directive':
      return `No '${found.directive}' directive specified for record #${found.record}.`;
    case 'suffix':
      return `'${found.directive}' directive ends in '.o' or '.ko' in record #${found.record}.`;
    case 'destination':
      return `Directive 'DEST_MODULE_LOCATION' does not begin with\n'/kernel', '/updates', or '/extra' in record #${found.record}.`;
    case 'unsupported-value':
      return `Unsupported ${found.directive} value '${found.value}'`;
    case 'duplicate':
      return `Duplicate module '${found.module}' in '${found.directive}[${found.record}]'.`;
    case 'unsafe-name':
      return `${found.directive} ${visible(found.value)} would lead out of its folder: slashes, '..' and line breaks cannot stand in it.`;
    case 'too-many-records':
      return `It describes more than ${found.most} modules, which no package has.`;
    case 'unreadable':
      return `${found.file}: ${found.why}.`;
    case 'too-slow':
      return `${found.file}: its commands did not end within ${counted(found.seconds, 'second')}.`;
    case 'too-much':
      return `${found.file}: it sets or prints more than ${Math.floor(found.bytes / 1024)} KiB, which no such file needs.`;
    case 'no-bash':
      return `${found.file}: it is a bash script, and there is no bash on this machine. Install bash.`;
    case 'bash-failed':
      return `${found.file}: ${found.why}.`;
    default:
      return found satisfies never;
  }
}

/** The value in quotes, with line breaks and other control characters visible. */
function visible(value: string): string {
  const shown = value.replaceAll(/[\x00-\x1f\x7f]/g, (sign) => JSON.stringify(sign).slice(1, -1));
  return `'${shown}'`;
}
