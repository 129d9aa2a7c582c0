import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
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
