import t from 'tap';
import type { ConfError, ConfMessage } from '../../../agent/records/dkms/conf-message.ts';
import { confText } from '../../../agent/report/dkms/conf-text.ts';

const error = (found: ConfError): ConfMessage => ({ kind: 'conf-error', error: found });

t.test('lines of dkms that scripts know', async (t) => {
  const rows: ReadonlyArray<readonly [string, ConfMessage, string]> = [
    [
      'no name',
      error({ kind: 'no-directive', directive: 'PACKAGE_NAME' }),
      "dkms.conf: Error! No 'PACKAGE_NAME' directive specified.\n",
    ],
    [
      'a gap in the records',
      error({ kind: 'no-record-directive', directive: 'BUILT_MODULE_NAME', record: 1 }),
      "dkms.conf: Error! No 'BUILT_MODULE_NAME' directive specified for record #1.\n",
    ],
    [
      'a suffix',
      error({ kind: 'suffix', directive: 'DEST_MODULE_NAME', record: 0 }),
      "dkms.conf: Error! 'DEST_MODULE_NAME' directive ends in '.o' or '.ko' in record #0.\n",
    ],
    [
      'a destination elsewhere takes two lines',
      error({ kind: 'destination', record: 2 }),
      "dkms.conf: Error! Directive 'DEST_MODULE_LOCATION' does not begin with\n'/kernel', '/updates', or '/extra' in record #2.\n",
    ],
    [
      'neither yes nor no',
      error({ kind: 'unsupported-value', directive: 'AUTOINSTALL', value: 'maybe' }),
      "dkms.conf: Error! Unsupported AUTOINSTALL value 'maybe'\n",
    ],
    [
      'two of one name',
      error({ kind: 'duplicate', directive: 'DEST_MODULE_NAME', record: 1, module: 'a' }),
      "dkms.conf: Error! Duplicate module 'a' in 'DEST_MODULE_NAME[1]'.\n",
    ],
    [
      'the end of a bad file, which the user did not name',
      { kind: 'conf-bad', file: '' },
      '\nError! Bad conf file.\nFile:  does not represent a valid dkms.conf file.\n',
    ],
    [
      'no file',
      { kind: 'conf-missing', file: '/var/lib/dkms/a/1/source/dkms.conf' },
      '\nError! Could not locate dkms.conf file.\nFile: /var/lib/dkms/a/1/source/dkms.conf does not exist.\n',
    ],
    ['no modules', { kind: 'conf-zero-modules' }, 'dkms.conf: Warning! Zero modules specified.\n'],
    [
      'deprecated',
      { kind: 'conf-deprecated', directive: 'CLEAN', file: '/usr/src/a-1/dkms.conf' },
      'Deprecated feature: CLEAN (/usr/src/a-1/dkms.conf)\n',
    ],
    [
      'deprecated, with what took its place',
      { kind: 'conf-deprecated', directive: 'OBSOLETE_BY', file: '/a', instead: 'BUILD_EXCLUSIVE_KERNEL_MAX' },
      'Deprecated feature: OBSOLETE_BY (/a): use BUILD_EXCLUSIVE_KERNEL_MAX instead\n',
    ],
    [
      'settings that cannot be read',
      {
        kind: 'conf-settings-lost',
        error: { kind: 'unreadable', file: '/etc/dkms/framework.conf', why: 'permission denied' },
      },
      'Warning: /etc/dkms/framework.conf: permission denied. Its settings do not count.\n',
    ],
    ['what the file wrote stays as it is', { kind: 'conf-complaint', text: 'a\nb' }, 'a\nb'],
  ];
  for (const [rule, message, text] of rows) t.same(confText(message), { to: 'error', text }, rule);
  t.same(
    confText({ kind: 'conf-directive', name: 'STRIP', value: 'no' }),
    { to: 'out', text: 'DIRECTIVE: STRIP="no"\n' },
    'a directive of the command line is announced on stdout',
  );
});

t.test('what plugd adds says what to do', async (t) => {
  const rows: ReadonlyArray<readonly [string, ConfError, RegExp]> = [
    [
      'a path as a name',
      { kind: 'unsafe-name', directive: 'PACKAGE_NAME', value: '../a' },
      /PACKAGE_NAME '\.\.\/a' would lead out of its folder/,
    ],
    ['a line break shows', { kind: 'unsafe-name', directive: 'PACKAGE_VERSION', value: '1\n2' }, /'1\\n2'/],
    [
      'a folder',
      { kind: 'unreadable', file: '/a/dkms.conf', why: 'a directory, not a file' },
      /^dkms.conf: Error! \/a\/dkms.conf: a directory/,
    ],
    ['an endless loop', { kind: 'too-slow', file: '/a/dkms.conf', seconds: 10 }, /\/a\/dkms.conf: .*within 10 seconds/],
    ['endless output', { kind: 'too-much', file: '/a/dkms.conf', bytes: 1 << 20 }, /more than 1024 KiB/],
    ['no bash', { kind: 'no-bash', file: '/a/dkms.conf' }, /Install bash\.$/m],
  ];
  for (const [rule, found, pattern] of rows) t.match(confText(error(found)).text, pattern, rule);
});
