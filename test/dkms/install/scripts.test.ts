import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { runScript } from '../../../agent/dkms/install/scripts.ts';
import type { DkmsMessage } from '../../../agent/records/dkms/message.ts';

t.test('which program runs, and what its end means', async (t) => {
  const home = realpathSync(t.testdir({ source: { sub: {} }, etc: {} }));
  const script = (path: string, text: string, mode = 0o755) => writeFileSync(`${home}/${path}`, text, { mode });
  script('source/good', '#!/bin/sh\n[ "$PWD" = "$1" ]\n');
  script('source/bad', '#!/bin/sh\nexit 5\n');
  script('source/sub/deep', '#!/bin/sh\nexit 0\n');
  script('source/plain', '#!/bin/sh\n', 0o644);
  script('source/both', '#!/bin/sh\nexit 1\n');
  script('etc/both', '#!/bin/sh\nexit 2\n');
  script('source/odd', 'no program\n');
  script('source/gone', '#!/nowhere/sh\n');
  mkdirSync(`${home}/source/folder`);
  const rows: ReadonlyArray<readonly [rule: string, command: string | undefined, status: number, told: string]> = [
    ['the package has none', undefined, 0, ''],
    ['an empty one', ' ', 0, ''],
    ['it runs beside its sources', `good ${home}/source`, 0, 'script'],
    ['its status counts', 'bad', 5, 'script'],
    ['in a folder below', 'sub/deep', 0, 'script'],
    ['not executable', 'plain', 0, 'script-not-executable'],
    ['not there', 'none', 0, 'script-not-executable'],
    ['a folder', 'folder', 0, 'script-not-executable'],
    ["the administrator's comes first", 'both', 2, 'script'],
    ['its interpreter is not there', 'gone', 126, 'script'],
  ];
  for (const [rule, command, status, told] of rows) {
    const messages: DkmsMessage['kind'][] = [];
    const parts = { name: 'post_install', command, folder: `${home}/source`, overrides: `${home}/etc` };
    t.equal(
      runScript(parts, ({ kind }) => messages.push(kind)),
      status,
      rule,
    );
    t.same(messages, told === '' ? [] : [told], rule);
  }
});
