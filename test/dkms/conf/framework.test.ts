import t from 'tap';
import {
  autoinstallIsOff,
  frameworkVariables,
  readFramework,
  readPostTransaction,
  readSigning,
  type FrameworkSource,
} from '../../../agent/dkms/conf/framework.ts';
import { readForcedModules } from '../../../agent/dkms/conf/forced-modules.ts';
import { confRequest } from './conf-request.ts';

type Tap = Pick<typeof t, 'testdir'>;
type Tree = Exclude<Parameters<typeof t.testdir>[0], undefined>;

function source(t: Tap, etc: Tree, environment: FrameworkSource['environment'] = {}): FrameworkSource {
  const folder = t.testdir({ etc, sysconfig: {} });
  return { etc: `${folder}/etc`, environment, sysconfig: `${folder}/sysconfig/none` };
}

const { kernel } = confRequest('/t');

t.test('defaults', async (t) => {
  const { settings, messages } = readFramework(source(t, {}));
  t.match(settings, {
    sourceTree: '/usr/src',
    dkmsTree: '/var/lib/dkms',
    installTree: '/lib/modules',
    tmpLocation: '/tmp',
    verbose: false,
    symlinkModules: false,
    compressXzOpts: '--check=crc32 --lzma2=dict=1MiB',
    compressZstdOpts: '-q --rm -T0',
    continueOnError: true,
    addonModulesDir: '',
  });
  t.ok(settings.parallelJobs >= 1);
  t.same(messages, []);
  t.same(readSigning(source(t, {}), kernel).settings, {
    signFile: '',
    mokSigningKey: '',
    mokCertificate: '',
    trySignModules: 'not_in_chroot',
  });
  t.equal(readPostTransaction(source(t, {}), kernel).settings, '');
});

t.test('the file, then the folder in the order of names; the environment first', async (t) => {
  const etc = {
    'framework.conf': 'dkms_tree="/a"\nverbose=1\nparallel_jobs=3\n',
    'framework.conf.d': {
      '20.conf': 'source_tree=/s2\n',
      '10.conf': 'source_tree=/s1\ndkms_tree="$dkms_tree/b"\n',
      '30.txt': 'source_tree=/no\n',
      '.40.conf': 'source_tree=/no\n',
    },
  };
  const environment = { parallel_jobs: '1', install_tree: '/m', TMPDIR: '/var/tmp', sign_file: '/s', verbose: '' };
  t.match(readFramework(source(t, etc, environment)).settings, {
    dkmsTree: '/a/b',
    sourceTree: '/s2',
    installTree: '/m',
    tmpLocation: '/var/tmp',
    verbose: true,
    parallelJobs: 3,
  });
  const exported = readFramework(source(t, {}, { ...environment, ADDON_MODULES_DIR: '/weak' })).settings;
  t.match(exported, { parallelJobs: 1, verbose: false, addonModulesDir: '/weak' });
  t.equal(readSigning(source(t, {}, environment), kernel).settings.signFile, '/s');
  t.match(frameworkVariables(exported), { parallel_jobs: '1', verbose: '', tmp_location: '/var/tmp' });
  t.match(frameworkVariables({ ...exported, parallelJobs: 0 }), { parallel_jobs: '' }, 'no limit is an empty text');
});

t.test('values may name the kernel, and be commands', async (t) => {
  const etc = {
    'framework.conf': [
      'sign_file="/lib/modules/${kernelver}/build/scripts/sign-file"',
      'mok_signing_key="$(echo /keys)/$kernelver.key"',
      String.raw`mok_certificate="/keys/\${kernelver}.crt"`,
      'try_sign_modules=true',
      'post_transaction="update-initramfs -u -k $kernelver"',
      'source_tree="/usr/src"',
      '',
    ].join('\n'),
  };
  t.same(readSigning(source(t, etc), kernel).settings, {
    signFile: '/lib/modules/6.1.0-56-amd64/build/scripts/sign-file',
    mokSigningKey: '/keys/6.1.0-56-amd64.key',
    mokCertificate: '/keys/6.1.0-56-amd64.crt',
    trySignModules: 'true',
  });
  t.equal(readPostTransaction(source(t, etc), kernel).settings, 'update-initramfs -u -k 6.1.0-56-amd64');
  t.equal(readPostTransaction(source(t, etc), undefined).settings, 'update-initramfs -u -k ');
  t.equal(readFramework(source(t, etc)).settings.sourceTree, '/usr/src');
  const odd = { 'framework.conf': 'try_sign_modules=maybe\nparallel_jobs=many\n' };
  t.equal(readSigning(source(t, odd), kernel).settings.trySignModules, 'not_in_chroot');
  t.ok(readFramework(source(t, odd)).settings.parallelJobs >= 1);
});

t.test('functions and other variables stay in the file', async (t) => {
  const etc = { 'framework.conf': 'status() { echo hi; }\nPATH=/nowhere\ndkms_tree=/a\n' };
  t.match(readFramework(source(t, etc)), { settings: { dkmsTree: '/a' }, messages: [] });
});

t.test('a file that cannot be read leaves the defaults, and is told', async (t) => {
  const reading = readFramework(
    source(t, { 'framework.conf': {}, 'framework.conf.d': { 'a.conf': 'dkms_tree=/a\n' } }),
  );
  t.match(reading, {
    settings: { dkmsTree: '/a' },
    messages: [{ kind: 'conf-settings-lost', error: { kind: 'unreadable' } }],
  });
  const noisy = readFramework(source(t, { 'framework.conf': 'echo a >&2; kill -KILL $$\n' }, { dkms_tree: '/e' }));
  t.match(noisy, {
    settings: { dkmsTree: '/e' },
    messages: [{ kind: 'conf-complaint' }, { kind: 'conf-settings-lost', error: { kind: 'bash-failed' } }],
  });
});

t.test('sysconfig may say where all modules go', async (t) => {
  const folder = t.testdir({ 'module-init-tools': '# RHEL\nADDON_MODULES_DIR=/weak-updates\n' });
  const { settings } = readFramework({ etc: folder, environment: {}, sysconfig: `${folder}/module-init-tools` });
  t.equal(settings.addonModulesDir, '/weak-updates');
});

t.test('files that are switches', async (t) => {
  const folder = t.testdir({ 'no-autoinstall': '', forced: { a: 'x y_version-override\n', '.b': 'z', c: { d: '' } } });
  t.equal(autoinstallIsOff(folder), true);
  t.equal(autoinstallIsOff(`${folder}/forced`), false);
  t.same(
    readForcedModules(`${folder}/forced`),
    new Map([
      ['x', 'force'],
      ['y', 'version-override'],
    ]),
  );
  t.same(readForcedModules(`${folder}/none`), new Map());
});
