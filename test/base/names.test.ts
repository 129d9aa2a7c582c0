import t from 'tap';
import { devpath, lookupKey, modalias, moduleFile, moduleName, moduleNameFromPath } from '../../agent/base/names.ts';

type Rows = Readonly<Record<string, readonly [given: string, made: string | undefined]>>;

function table(make: (text: string) => string | undefined, rows: Rows): void {
  for (const [rule, [given, made]] of Object.entries(rows)) {
    t.test(`${make.name}: ${rule}`, (t) => {
      t.equal(make(given), made);
      t.end();
    });
  }
}

table(moduleName, {
  'dashes become underscores': ['snd-hda-intel', 'snd_hda_intel'],
  'nothing else changes': ['Foo.ko[a-b]', 'Foo.ko[a_b]'],
});

table(moduleNameFromPath, {
  'the last component, up to its first dot': ['kernel/net/core/foo-bar.ko.xz', 'foo_bar'],
  'a dot in a folder does not count': ['/lib/6.1/foo', 'foo'],
  'a name that begins with a dot is empty': ['/lib/.ko', ''],
});

table(modalias, {
  'the newline of sysfs is not part of it': ['pci:v1\n', 'pci:v1'],
  'only one newline goes': ['a\n\n', 'a\n'],
});

table(devpath, {
  'the mount point goes': ['/sys/devices/x', '/devices/x'],
  'without one it stays': ['/devices/sys/x', '/devices/sys/x'],
});

table(lookupKey, {
  'dashes become underscores': ['usb-storage', 'usb_storage'],
  'not inside brackets': ['a-[0-9]-b', 'a_[0-9]_b'],
  'an empty name is a key': ['', ''],
  'an open bracket is no key': ['a-[0-9', undefined],
  'a closing bracket alone is no key': ['a]b', undefined],
  'a bracket in brackets is part of them': ['[[-]-', '[[-]_'],
});

const inRoot = (listed: string): string => moduleFile({ root: '/img', moduleDir: '/img/lib/modules/6.1.0' }, listed);
table(inRoot, {
  'in a root an entry is relative to its module directory': ['kernel/a.ko', '/img/lib/modules/6.1.0/kernel/a.ko'],
  "an absolute entry is the root's file": ['/opt/a.ko', '/img/opt/a.ko'],
  'also one that would lead out of it, which its reader prevents': ['/../a.ko', '/img/../a.ko'],
  'one that names the root is that file': ['/img/opt/a.ko', '/img/opt/a.ko'],
  'one that only begins like the root is not': ['/imgs/a.ko', '/img/imgs/a.ko'],
});

const inTree = (listed: string): string => moduleFile({ moduleDir: '/größe/lib/modules/6.1.0' }, listed);
table(inTree, {
  'an entry is relative to the module directory': ['kernel/a.ko', '/größe/lib/modules/6.1.0/kernel/a.ko'],
  'an absolute entry is the file': ['/opt/a.ko', '/opt/a.ko'],
  'an absolute entry beside the root is the file': ['/img/a.ko', '/img/a.ko'],
  'an entry is bytes, a path is text': ['kernel/m\xc3\xb6dul.ko', '/größe/lib/modules/6.1.0/kernel/mödul.ko'],
  'bytes that are not UTF-8 are kept': ['/opt/\xff.ko', '/opt/\udcff.ko'],
});
