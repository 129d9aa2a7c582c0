import { execFileSync } from 'node:child_process';
import t from 'tap';
import { matchesExtended } from '../../../../agent/dkms/conf/shell/extended-regex.ts';

const TEXTS = ['6.1.0-56-amd64', '5.10.0', 'x86_64', 'a]b^c', ''];

const SAME: readonly string[] = [
  '',
  '^',
  '$',
  '6',
  '^6',
  '64$',
  '^6.1',
  String.raw`^6\.1\.`,
  '^(6|5)',
  String.raw`^(5\.[0-9]+|6\.[0-4])(\.|-|$)`,
  '^[0-9]*.[0-9]+',
  '[^0-9.]',
  '[]x]',
  '[^]x]',
  '[a^]',
  '[a-]',
  'x?86',
  '(amd)?64',
  '(ab)+',
  '^do_not_build$',
  'REQUIRES CONFIG_VIDEO_DEV',
  '^$',
  'a^b',
  'a$b',
  String.raw`[.]0`,
  String.raw`\[x`,
];

const LEFT_TO_THE_SHELL: readonly string[] = [
  '[[:digit:]]',
  '[[.a.]]',
  '6{1}',
  '{',
  String.raw`\d`,
  String.raw`\<6`,
  String.raw`(6)\1`,
  String.raw`6\b`,
  '6**',
  '6+?',
  '*6',
  '^*6',
  '(*6)',
  '()',
  '(',
  ')',
  '((6)',
  '6|',
  '|6',
  '(6|)',
  '[',
  '[]',
  '[^]',
  '[z-a]',
  '(a+)+',
  '(a|a)*',
  '((a+)b)*',
  '.*.*.*.*.*.*.*x',
  '\\',
];

t.test('patterns that are translated match as those of the shell', async (t) => {
  // Every pattern with every text in one shell; one status a line.
  const script = 'for p; do for s in "${texts[@]}"; do [[ $s =~ $p ]]; echo $?; done; done';
  const texts = `texts=(${TEXTS.map((text) => `'${text}'`).join(' ')})`;
  const output = execFileSync('bash', ['-c', `LC_ALL=C; ${texts}; ${script}`, 'bash', ...SAME], { encoding: 'latin1' });
  const statuses = output.trim().split('\n');
  for (const pattern of SAME)
    for (const text of TEXTS)
      t.equal(matchesExtended(pattern, text), statuses.shift() === '0', `'${pattern}' in '${text}'`);
});

t.test('what the two could take otherwise, or take long for, is left to the shell', async (t) => {
  for (const pattern of LEFT_TO_THE_SHELL) t.equal(matchesExtended(pattern, '6.1.0'), undefined, pattern);
});
