import { symlinkSync } from 'node:fs';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { readBootListFiles } from '../../../agent/facts/config/boot-list-files.ts';

t.test('lists by name, what hides what, /etc/modules and the command line', (t) => {
  const root = t.testdir({
    etc: { 'modules-load.d': { 'b.conf': 'b', 'n.conf': t.fixture('symlink', '/dev/null') }, modules: 'c' },
    usr: { lib: { 'modules-load.d': { 'a.conf': 'a', 'b.conf': 'hidden', 'n.conf': 'masked' } } },
    proc: { cmdline: 'modules_load=d\n' },
  });
  symlinkSync('usr/lib', `${root}/lib`);
  const host = openHost({ root, kernel: '1.0', proc: `${root}/proc` });
  const { lists, hidden, etcModules, commandLine, unread } = readBootListFiles(host);
  t.same(
    { lists, hidden, etcModules, commandLine, unread },
    {
      lists: [
        { file: `${root}/usr/lib/modules-load.d/a.conf`, text: 'a' },
        { file: `${root}/etc/modules-load.d/b.conf`, text: 'b' },
        { file: `${root}/etc/modules-load.d/n.conf`, text: '' },
      ],
      hidden: [
        { file: `${root}/usr/lib/modules-load.d/b.conf`, text: 'hidden', by: `${root}/etc/modules-load.d/b.conf` },
        { file: `${root}/usr/lib/modules-load.d/n.conf`, text: 'masked', by: `${root}/etc/modules-load.d/n.conf` },
      ],
      etcModules: { file: `${root}/etc/modules`, text: 'c' },
      commandLine: { file: `${root}/proc/cmdline`, text: 'modules_load=d' },
      unread: [],
    },
  );
  symlinkSync('../modules', `${root}/etc/modules-load.d/modules.conf`);
  t.equal(readBootListFiles(host).etcModules, undefined, 'a list that is a link to /etc/modules: it is read once');
  symlinkSync('loop.conf', `${root}/etc/modules-load.d/loop.conf`);
  t.match(readBootListFiles(host).unread, [{ file: /loop\.conf$/, why: /link/ }]);
  t.end();
});

t.test('inside a root no list is read from the host', (t) => {
  const top = t.testdir({
    secret: 'HOST',
    image: { etc: { 'modules-load.d': { 'b.conf': 'b' } }, usr: { lib: { 'modules-load.d': {} } }, proc: {} },
  });
  const root = `${top}/image`;
  symlinkSync(`${top}/secret`, `${root}/etc/modules`);
  symlinkSync(`${top}/secret`, `${root}/usr/lib/modules-load.d/b.conf`);
  const { etcModules, hidden } = readBootListFiles(openHost({ root, kernel: '1.0', proc: `${root}/proc` }));
  t.equal(etcModules, undefined);
  t.match(hidden, [{ text: '' }]);
  t.end();
});

t.test('a machine without lists', (t) => {
  const root = t.testdir({});
  const { lists, hidden, etcModules, unread } = readBootListFiles(openHost({ root, kernel: '1.0', proc: root }));
  t.same([lists, hidden, etcModules, unread], [[], [], undefined, []]);
  t.end();
});

t.test('lists of other systems, in the order in which each reads them', (t) => {
  const root = t.testdir({
    etc: { 'conf.d': { modules: 'modules=a' }, 'initramfs-tools': { modules: 'b' }, 'initrd-release': '' },
    usr: {
      share: {
        'initramfs-tools': { 'modules.d': { y: 'c', x: 'd' } },
        ros: { 'os-config.yml': 'e', oem: { 'oem-config.yml': 'f' } },
      },
    },
    var: {
      lib: {
        rancher: {
          conf: {
            'cloud-config.yml': 'g',
            'cloud-config.d': { metadata: 'h', '.hidden': 'i', 'boot.yml': 'j', d: {} },
          },
          k3os: { 'config.yaml': 'k', 'config.d': { 'a.yaml': 'l' } },
        },
      },
    },
    k3os: { system: { 'config.yaml': 'm' } },
    system: { state: { 'config.yaml': 'n' } },
  });
  const files = readBootListFiles(openHost({ root, kernel: '1.0', proc: root }));
  const texts = (list: ReadonlyArray<{ readonly text: string }>) => list.map(({ text }) => text).join('');
  t.equal(files.openrc?.text, 'modules=a');
  t.equal(texts(files.initramfsTools), 'dcb');
  t.equal(texts(files.cloud.rancher), 'efjhg');
  t.equal(texts(files.cloud.k3os), 'mkl');
  t.equal(texts(files.cloud.talos), 'n');
  t.equal(files.inInitramfs, true);
  t.equal(files.kernel, '1.0');
  t.end();
});
