import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost, type Host } from '../../agent/base/host.ts';
import { judge, withoutTree } from '../../agent/explain/judgement.ts';
import type { BoundDevice } from '../../agent/facts/devices/bound-device.ts';
import { readConfigEvidence } from '../../agent/explain/kernel-evidence.ts';

const EVERYTHING = `CONFIG_MODULE_SIG=y
CONFIG_MODULE_SIG_FORCE=y
CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y
CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y
CONFIG_LSM="landlock,lockdown,yama"
`;

t.test('what a configuration decides', (t) => {
  const root = t.testdir({ boot: {}, lib: { modules: { '6.1.0': {} } } });
  const evidence = (text: string) => {
    writeFileSync(join(root, 'boot/config-6.1.0'), text);
    return readConfigEvidence(openHost({ root, kernel: '6.1.0' }));
  };
  t.same(evidence(EVERYTHING), {
    file: join(root, 'boot/config-6.1.0'),
    verifies: true,
    enforces: true,
    lockdown: 'confidentiality',
    allowsMissingImports: true,
  });
  t.match(evidence('# CONFIG_MODULE_SIG is not set\n'), {
    verifies: false,
    enforces: false,
    lockdown: undefined,
    allowsMissingImports: false,
  });
  const forced = 'CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y\n';
  t.equal(evidence(forced)?.lockdown, 'integrity');
  t.equal(evidence(`${forced}CONFIG_LSM="yama"\n`)?.lockdown, undefined, 'its module does not run');
  t.equal(
    evidence(`${forced}CONFIG_LSM="yama"\nCONFIG_SECURITY_LOCKDOWN_LSM_EARLY=y\n`)?.lockdown,
    'integrity',
    'it starts early',
  );
  t.end();
});

t.test('where a configuration lies', (t) => {
  for (const path of [
    'boot/config-6.1.0',
    'lib/modules/6.1.0/config',
    'usr/lib/modules/6.1.0/config',
    'usr/lib/ostree-boot/config-6.1.0',
    'lib/modules/6.1.0/build/.config',
  ]) {
    const root = t.testdir({});
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'CONFIG_MODULE_SIG=y\n');
    t.equal(readConfigEvidence(openHost({ root, kernel: '6.1.0' }))?.verifies, true, path);
  }
  const root = t.testdir({ 'host.config': EVERYTHING, boot: {} });
  symlinkSync(join(root, 'host.config'), join(root, 'boot/config-6.1.0'));
  t.equal(readConfigEvidence(openHost({ root, kernel: '6.1.0' })), undefined, 'never a file of this machine');
  t.end();
});

const DEVICE = {
  devpath: '/devices/a',
  subsystem: 'platform',
  name: 'a',
  modaliases: ['platform:a'],
  properties: new Map(),
  driver: 'mystery',
} as unknown as BoundDevice;
const NO_TREE = { kind: 'no-tree', why: 'absent', reason: 'there are no modules', remedy: 'install them' } as const;

/** A machine that runs `running`, asked about `kernel`. */
function hostOf(dir: string, running: string | undefined, kernel: string): Host {
  if (running !== undefined) {
    mkdirSync(join(dir, 'proc/sys/kernel'), { recursive: true });
    writeFileSync(join(dir, 'proc/sys/kernel/osrelease'), `${running}\n`);
  }
  return { root: '', kernel, moduleDir: `/lib/modules/${kernel}`, sysfs: join(dir, 'sys'), proc: join(dir, 'proc') };
}

const ROWS: ReadonlyArray<
  readonly [rule: string, running: string | undefined, kernel: string, without: string, unmatched: string]
> = [
  ['the kernel that runs has what is bound', '6.1.0', '6.1.0', 'builtin', 'builtin'],
  ['another kernel need not', '6.1.0', '9.9', 'failed', 'no-match'],
  ['a machine of which no release is known', undefined, '6.1.0', 'builtin', 'builtin'],
];
for (const [rule, running, kernel, without, unmatched] of ROWS) {
  t.test(rule, (t) => {
    const host = hostOf(t.testdir({}), running, kernel);
    t.equal(withoutTree(host, NO_TREE, DEVICE).verdict, without, 'without a tree');
    const end = judge(host, DEVICE, []);
    t.equal(end.verdict, unmatched, 'with a tree that has nothing for it');
    if (unmatched === 'no-match') t.match(end.evidence, [/'mystery' of the kernel that runs here drives it now/]);
    t.equal(judge(host, DEVICE, [], true).verdict, unmatched, 'in a list');
    t.end();
  });
}
