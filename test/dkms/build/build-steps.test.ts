import { readFileSync, rmSync } from 'node:fs';
import t from 'tap';
import type { DkmsConf } from '../../../agent/dkms/conf/dkms-conf.ts';
import { BuildRig, K } from './build-rig.ts';

type Row = readonly [
  rule: string,
  files: Readonly<Record<string, string>>,
  conf: Partial<DkmsConf>,
  status: number | undefined,
  shown: RegExp,
];

const PATCH = `--- a/a.txt
+++ b/a.txt
@@ -1 +1 @@
-old
+new
`;
const FILES = { 'a.txt': 'old\n' };
const ADMIN = '../../etc/m/pre';

/** Patches, then PRE_BUILD, make, POST_BUILD: how each can end. */
const ROWS: readonly Row[] = [
  ['make alone', FILES, {}, undefined, /Building module\(s\)\.* *done/],
  [
    'a patch',
    { ...FILES, 'patches/one': PATCH },
    { patches: ['one'] },
    undefined,
    /Applying patch one\.* *done.*Building/s,
  ],
  ['a patch that is missing', FILES, { patches: ['one'] }, 5, /Patch one.*\/patches/s],
  ['a patch that leads up', FILES, { patches: ['../one'] }, 5, /\.\.\/one/],
  [
    'a patch for other sources',
    { 'a.txt': 'else\n', 'patches/one': PATCH },
    { patches: ['one'] },
    6,
    /one.*make\.log/s,
  ],
  [
    'the second is not tried then',
    { 'a.txt': 'else\n', 'patches/one': PATCH },
    { patches: ['one', 'two'] },
    6,
    /^(?!.*two)/s,
  ],
  [
    'a script before',
    { pre: '#!/bin/sh\nexit 0\n' },
    { preBuild: 'pre' },
    undefined,
    /Running the pre_build script\.* *done.*Building/s,
  ],
  ['a script that fails has its status', { pre: '#!/bin/sh\nexit 7\n' }, { preBuild: 'pre' }, 7, /pre_build/],
  [
    'with arguments',
    { pre: '#!/bin/sh\n[ "$1 $2" = "a b" ]\n' },
    { preBuild: ' pre  a b ' },
    undefined,
    /pre_build script\.* *done/,
  ],
  [
    'a script that is no program is left out',
    { pre: 'x' },
    { preBuild: 'pre' },
    undefined,
    /pre_build script is not executable.*Building/s,
  ],
  ['a script after', { post: '#!/bin/sh\nexit 9\n' }, { postBuild: 'post' }, 9, /Building.*post_build/s],
  [
    "the administrator's script comes first",
    { [ADMIN]: '#!/bin/sh\nexit 11\n', pre: '#!/bin/sh\nexit 12\n' },
    { preBuild: 'pre' },
    11,
    /pre_build/,
  ],
  ['make that fails', FILES, { make: 'false' }, 10, /Bad return status for module build/],
  [
    'and says why',
    FILES,
    { make: `echo "m.c:3:1: error: implicit declaration of function 'from_timer'"; false` },
    10,
    /first error: m\.c:3: implicit declaration of function 'from_timer'\nLinux 6\.16 has no from_timer/,
  ],
];

t.test('the commands of a build, and how each may end', async (t) => {
  for (const [rule, files, conf, status, shown] of ROWS) {
    await t.test(rule, async (t) => {
      const rig = new BuildRig(t, files);
      const outcome = await rig.build({}, conf);
      const text = rig.shown();
      t.match(outcome, status === undefined ? { kind: 'built' } : { kind: 'stopped', status }, text);
      t.match(text, shown);
    });
  }
});

t.test('the log has each command and its status', async (t) => {
  const rig = new BuildRig(t, { pre: '#!/bin/sh\necho said\n' });
  await rig.build({}, { preBuild: 'pre', make: 'echo made; exit 3' });
  const log = readFileSync(rig.paths.log, 'latin1');
  t.match(log, new RegExp(`make\\.log for m/1\\.0 for kernel ${K}`));
  t.match(log, /pre_build script.*said.*Building module.*made.*exit code: 3/s);
});

t.test('commands see what dkms tells them, and nothing of the caller', async (t) => {
  process.env['PLUGD_TEST_SECRET'] = 'x';
  t.teardown(() => delete process.env['PLUGD_TEST_SECRET']);
  const rig = new BuildRig(t);
  const names = ['kernelver', 'arch', 'module', 'module_version', 'PACKAGE_NAME', 'parallel_jobs', 'PLUGD_TEST_SECRET'];
  const make = `for n in ${names.join(' ')}; do eval "echo $n=\\$$n"; done; false`;
  await rig.build({ jobs: 2 }, { make });
  const log = readFileSync(rig.paths.log, 'latin1');
  for (const line of [
    `kernelver=${K}`,
    'arch=x86_64',
    'module=m',
    'module_version=1.0',
    'PACKAGE_NAME=m',
    'parallel_jobs=2',
  ])
    t.match(log, new RegExp(`^${line.replaceAll('.', '\\.')}$`, 'm'), line);
  rmSync(rig.paths.log);
});

t.test('a build that is ended in the middle', async (t) => {
  const rig = new BuildRig(t);
  const ending = new AbortController();
  const tell = { seen: '' };
  const outcome = await rig.build(
    {
      signal: ending.signal,
      tell: ({ kind }) => {
        tell.seen += `${kind} `;
        if (kind === 'step') ending.abort();
      },
    },
    { make: 'sleep 600' },
  );
  t.same(outcome, { kind: 'stopped', status: 130 });
  t.match(tell.seen, /interrupted/);
});
