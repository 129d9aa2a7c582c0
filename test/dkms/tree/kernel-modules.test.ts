import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';
import { builtFiles, kernelModules } from '../../../agent/dkms/tree/kernel-modules.ts';

/** dkms.conf, and the names of modules. */
const ROWS: ReadonlyArray<readonly [rule: string, conf: string | undefined, names: readonly string[]]> = [
  ["without dkms.conf the package's name", undefined, ['some_driver']],
  ['nor with one that names none', 'PACKAGE_NAME=some-driver\nDEST_MODULE_LOCATION[0]=/updates\n', ['some_driver']],
  ['names', 'BUILT_MODULE_NAME[0]="hid-kye"\nBUILT_MODULE_NAME[1]=\'wacom\'\n', ['hid_kye', 'wacom']],
  [
    'a name in installation',
    'BUILT_MODULE_NAME[0]=nvidia\nDEST_MODULE_NAME[0]=nvidia-current\n',
    ['nvidia', 'nvidia_current'],
  ],
  ["the package's, by its variable", 'PACKAGE_NAME=x\nBUILT_MODULE_NAME[0]="${PACKAGE_NAME}"\n', ['x']],
  [
    'beside lines for the shell, which does not run',
    'if [ -f x ]; then . x; fi\nMODULE=$(touch "$HOME/ran")\nBUILT_MODULE_NAME="v4l2loopback"\nBUILT_MODULE_NAME[1]="$MODULE"\n',
    ['v4l2loopback'],
  ],
];

for (const [rule, conf, names] of ROWS) {
  t.test(rule, async (t) => {
    const trees = defaultTrees(t.testdir());
    const module = { name: 'some-driver', version: '1' };
    mkdirSync(`${trees.sourceTree}/some-driver-1`, { recursive: true });
    if (conf !== undefined) writeFileSync(`${trees.sourceTree}/some-driver-1/dkms.conf`, conf);
    t.same(kernelModules(trees, module), names);
  });
}

t.test('what was built counts, too', async (t) => {
  const trees = defaultTrees(t.testdir());
  const module = { name: 'm', version: '1' };
  for (const [release, file] of [
    ['6.0', 'a-b.ko.xz'],
    ['6.1', 'a-b.ko'],
    ['6.1', 'Module.symvers'],
  ] as const) {
    mkdirSync(`${trees.dkmsTree}/m/1/${release}/x86_64/module`, { recursive: true });
    writeFileSync(`${trees.dkmsTree}/m/1/${release}/x86_64/module/${file}`, '');
  }
  t.same(kernelModules(trees, module), ['a_b']);
  const place = `${trees.dkmsTree}/m/1`;
  t.same(builtFiles(trees, module), [`${place}/6.0/x86_64/module/a-b.ko.xz`, `${place}/6.1/x86_64/module/a-b.ko`]);
});
