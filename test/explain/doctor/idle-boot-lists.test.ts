import t from 'tap';
import { idleBootLists } from '../../../agent/explain/doctor/idle-boot-lists.ts';
import { KnownNames } from '../../../agent/explain/doctor/known-names.ts';
import { openSources } from '../../../agent/load/sources.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

const ETC = 'root/etc/modules-load.d/a.conf';

const ROWS: ReadonlyArray<readonly [rule: string, file: string, text: string, expected: readonly string[]]> = [
  ['modules, built-in ones and aliases are right', ETC, 'loop\nvirtio-net\nbutton\nblock-major-7-0\n', []],
  ['a name that is near', ETC, '# list\nnouveu', ['2: nouveu: there is no module nouveu; nouveau']],
  ['a name that is not', ETC, 'xyzzy', ['1: xyzzy: there is no module xyzzy; -']],
  [
    "a distribution's list may be for another kernel",
    'root/usr/lib/modules-load.d/v.conf',
    'nouveu',
    ['1: nouveu: there is no module nouveu; - harmless'],
  ],
  [
    'parameters belong in modprobe.d',
    ETC,
    'loop max_loop=8',
    ['1: loop max_loop=8: a line holds one name; parameters belong in modprobe.d; options loop max_loop=8'],
  ],
  [
    'a line of modprobe.d',
    ETC,
    'options nvidia x=1\nblacklist loop',
    [
      '1: options nvidia x=1: this is a line of modprobe.d; a boot list holds names of modules; -',
      '2: blacklist loop: this is a line of modprobe.d; a boot list holds names of modules; -',
    ],
  ],
  ['Windows line ends do not count', ETC, 'loop\r\n', []],
  ['/etc/modules takes parameters', 'root/etc/modules', 'loop max_loop=8', []],
  [
    '… but no carriage returns, in the name or behind the parameters',
    'root/etc/modules',
    'loop\r\nloop a=1\r\n',
    [
      '1: loop: a carriage return ends this line and is part of its last word; write the file with plain newlines; -',
      '2: loop a=1: a carriage return ends this line and is part of its last word; write the file with plain newlines; -',
    ],
  ],
  [
    '… and no ;',
    'root/etc/modules',
    ';loop',
    ['1: ;loop: /etc/modules has no such comments: the line names a module; -'],
  ],
  [
    'the command line',
    'proc/cmdline',
    'modules_load=loop,nouveu',
    ['1: modules_load=nouveu: there is no module nouveu; nouveau'],
  ],
  [
    "OpenRC's list",
    'root/etc/conf.d/modules',
    'modules="loop\n  nouveu"\nmodule_nouveu_args="a=1"',
    ['2: nouveu a=1: there is no module nouveu; nouveau'],
  ],
  [
    "RancherOS' list",
    'root/var/lib/rancher/conf/cloud-config.yml',
    'rancher:\n  modules:\n    - loop max_loop=8\n    - nouveu',
    ['4: nouveu: there is no module nouveu; - harmless'],
  ],
  [
    '… that is no YAML',
    'root/var/lib/rancher/conf/cloud-config.yml',
    'rancher: "',
    ['1: this line: not YAML: Missing closing "quote; nothing in this file counts; -'],
  ],
  [
    "initramfs-tools' list",
    'root/etc/initramfs-tools/modules',
    '# x\nnouveu',
    ['2: nouveu: there is no module nouveu; nouveau'],
  ],
];

for (const [rule, file, text, expected] of ROWS) {
  t.test(rule, (t) => {
    const { host } = diagnosticsRig(t, { [file]: text });
    const idle = idleBootLists(host, new KnownNames(host, openSources(host)));
    t.same(
      idle.map(
        ({ place, text: line, why, suggestion = '-', harmless }) =>
          `${place.line}: ${line}: ${why}; ${suggestion}${harmless ? ' harmless' : ''}`,
      ),
      expected,
    );
    t.end();
  });
}
