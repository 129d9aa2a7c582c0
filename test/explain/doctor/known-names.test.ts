import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ModuleName } from '../../../agent/base/names.ts';
import { isVendors, KnownNames } from '../../../agent/explain/doctor/known-names.ts';
import { openSources } from '../../../agent/load/sources.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

const { base, host } = diagnosticsRig(t, {
  'root/etc/modprobe.d/a.conf':
    'alias looping loop\nalias nowhere missing\nalias off-line off\ninstall standin /bin/echo\n',
  'root/sbin/there': '',
  'root/usr/local/bin/mine': '',
});
symlinkSync('/proc/self/exe', join(base, 'root/sbin/dangling'));
symlinkSync('/sbin/there', join(base, 'root/sbin/linked'));
const names = new KnownNames(host, openSources(host));

type Rows<Answer> = ReadonlyArray<readonly [rule: string, name: string, answer: Answer]>;
function table<Answer>(question: string, ask: (name: string) => Answer, rows: Rows<Answer>): void {
  for (const [rule, name, answer] of rows) {
    t.test(`${question}: ${rule}`, (t) => {
      t.equal(ask(name), answer);
      t.end();
    });
  }
}

table('a module', (name) => names.isModule(name), [
  ['of the tree', 'nouveau', true],
  ['of the kernel', 'button', true],
  ['an alias is none', 'block_major_7_0', false],
  ['an alias line is none', 'looping', false],
  ['a command is none', 'standin', false],
  ['nothing', '', false],
  ['a name that is not ASCII', 'm\xe9', false],
]);

table('built in', (name) => names.isBuiltin(name), [
  ['of the kernel', 'button', true],
  ['of the tree', 'nouveau', false],
  ['neither', 'nosuch', false],
]);

table('a pattern for modules', (pattern) => names.matchesModule(pattern), [
  ['of the tree', 'virtio_*', true],
  ['of the kernel', 'butt?n', true],
  ['a name is a pattern', 'loop', true],
  ['of aliases alone', 'block_major_*', false],
  ['of nothing', 'x*', false],
]);

table<string | undefined>('the module of a name', (name) => names.moduleOf(name), [
  ['an alias of the tree', 'block_major_7_0', 'loop'],
  ["an alias of the kernel's own", 'acpi:LNXPWRBN:', 'button'],
  ['an alias line', 'looping', 'loop'],
  ['its own name', 'nouveau', 'nouveau'],
  ['an alias line that leads nowhere', 'nowhere', undefined],
  ['an alias line that leads nowhere on purpose', 'off_line', undefined],
  ['a command is no module', 'standin', undefined],
  ['nothing', 'nosuch', undefined],
]);

table('a request', (name) => names.isFound(name), [
  ['for a module', 'nouveau', true],
  ['for an alias', 'block_major_7_0', true],
  ['for an alias line', 'looping', true],
  ['for a command that stands for it', 'standin', true],
  ['for nothing', 'nosuch', false],
]);

table('anything that a pattern matches', (pattern) => names.isAnything(pattern), [
  ['a module', 'loop', true],
  ['modules', 'virtio_*', true],
  ['an alias', 'block_major_7_3', true],
  ['a part of what an alias matches', 'block_major_7_3*', true],
  ['what an alias is a part of', 'block_major_*', true],
  ['aliases apart from each other', 'block_major_8_*', false],
  ["an administrator's alias does not count", 'looping', false],
]);

table('found by an alias', (name) => names.hasAlias(name as ModuleName), [
  ['of its own', 'nouveau', true],
  ["of the kernel's own", 'button', true],
  ['of an alias line', 'missing', true],
  ['of none', 'virtio', false],
]);

table<string | undefined>('the nearest name', (name) => names.near(name), [
  ['of the tree', 'nouveu', 'nouveau'],
  ['of the kernel', 'buton', 'button'],
  ['of none', 'xyzzy', undefined],
]);

table('a program', (program) => names.isProgram(program), [
  ['by its path below the root', '/sbin/there', true],
  ['that only the host has', '/proc/self/exe', false],
  ['that is a link to where the root has nothing', '/sbin/dangling', false],
  ['that is a link to one of the root', '/sbin/linked', true],
  ['by its name in PATH', 'there', true],
  ['at the end of PATH', 'mine', true],
  ['by a path that is elsewhere', '/bin/there', false],
  ['that is not there', 'nosuch', false],
]);

table<string | undefined>('the nearest program', (program) => names.nearProgram(program), [
  ['in its directory', '/sbin/ther', '/sbin/there'],
  ['not in another directory', '/bin/ther', undefined],
  ['in PATH', 'ther', 'there'],
  ['of none', 'xyzzy', undefined],
]);

table('written by a distribution', (file) => isVendors({ file, line: 1 }), [
  ['/usr/lib', '/usr/lib/modprobe.d/v.conf', true],
  ['/lib', '/lib/modprobe.d/v.conf', true],
  ['/etc', '/etc/modprobe.d/a.conf', false],
  ['/run', '/run/modprobe.d/a.conf', false],
  ['/usr/local is not spoken of', '/usr/local/lib/modprobe.d/a.conf', true],
  ['the kernel command line', '/proc/cmdline', false],
  ['/etc of another root', '/image/etc/modprobe.d/a.conf', false],
  ['a file that is named like a folder', '/lib/modprobe.d/etc', true],
]);
