import t from 'tap';
import { readYaml } from '../../../agent/facts/config/yaml-text.ts';
import type { BootDialectName } from '../../../agent/rules/boot/boot-entry.ts';
import { BOOT_DIALECT_NAMES, countingEntries, parseBootLists } from '../../../agent/rules/boot/boot-list.ts';

t.test(
  'a machine: the command line, then files in their order, then /etc/modules; each with dialect and place',
  (t) => {
    const { entries, hidden } = parseBootLists({
      lists: [
        { file: '/etc/modules-load.d/a.conf', text: 'a' },
        { file: '/usr/lib/modules-load.d/b.conf', text: '#\nb' },
      ],
      hidden: [{ file: '/usr/lib/modules-load.d/a.conf', text: 'c\nd', by: '/etc/modules-load.d/a.conf' }],
      etcModules: { file: '/etc/modules', text: 'e x=1' },
      commandLine: { file: '/proc/cmdline', text: 'modules_load=f' },
    });
    t.same(
      entries.map(({ dialect, place, name }) => `${dialect} ${place.file}:${place.line} ${name}`),
      [
        'kernel-command-line /proc/cmdline:1 f',
        'modules-load.d /etc/modules-load.d/a.conf:1 a',
        'modules-load.d /usr/lib/modules-load.d/b.conf:2 b',
        'etc-modules /etc/modules:1 e',
      ],
    );
    t.same(
      hidden.map(({ name, by }) => `${name} ${by}`),
      ['c /etc/modules-load.d/a.conf', 'd /etc/modules-load.d/a.conf'],
    );
    t.same(parseBootLists({ lists: [], hidden: [], etcModules: undefined, commandLine: { file: '', text: '' } }), {
      entries: [],
      hidden: [],
      problems: [],
    });
    t.end();
  },
);

const ALL = parseBootLists({
  lists: [{ file: '/etc/modules-load.d/a.conf', text: 'a\nx-y' }],
  hidden: [],
  etcModules: { file: '/etc/modules', text: 'x_y p=1\ne' },
  commandLine: {
    file: '/proc/cmdline',
    text: 'modules_load=c rd.modules_load=i rancher.modules=[r,a] k3os.modules=k',
  },
  openrc: { file: '/etc/conf.d/modules', text: 'modules="o"\nmodules_6_1="o61"' },
  kernel: '6.1.0-1',
  initramfsTools: [{ file: '/etc/initramfs-tools/modules', text: 't' }],
  cloud: {
    rancher: [{ file: '/r.yml', text: 'rancher: {modules: [no]}' }],
    k3os: [],
    talos: [{ file: '/t.yaml', text: 'machine: {kernel: {modules: [{name: t2}]}}\n---\na: [' }],
  },
  readYaml,
});

t.test('all dialects, in their order, with what is hidden and what is wrong', (t) => {
  t.same(
    ALL.entries.map(({ dialect, name }) => `${dialect} ${name}`),
    [
      'kernel-command-line c',
      'kernel-command-line i',
      'modules-load.d a',
      'modules-load.d x-y',
      'etc-modules x_y',
      'etc-modules e',
      'openrc o61',
      'rancher r',
      'rancher a',
      'k3os k',
      'initramfs-tools t',
    ],
  );
  t.match(ALL.hidden, [{ dialect: 'rancher', name: 'no', by: '/proc/cmdline' }]);
  t.match(ALL.problems, [{ file: '/t.yaml', code: 'malformed', message: /not YAML/ }]);
  t.end();
});

const CHOICES: ReadonlyArray<
  readonly [
    rule: string,
    dialects: readonly BootDialectName[] | undefined,
    inInitramfs: boolean,
    expected: readonly string[],
  ]
> = [
  ['each name once, in its first place', undefined, false, ['c', 'a', 'x-y', 'e', 'o61', 'r', 'k']],
  ['of one dialect', ['etc-modules'], false, ['x_y', 'e']],
  ['in an initramfs its own lists count too', undefined, true, ['c', 'i', 'a', 'x-y', 'e', 'o61', 'r', 'k', 't']],
  ["initramfs-tools' list counts when it is named", ['initramfs-tools'], false, ['t']],
  ['… and rd.modules_load= does not', ['kernel-command-line'], false, ['c']],
  ['all of them by name', BOOT_DIALECT_NAMES, false, ['c', 'a', 'x-y', 'e', 'o61', 'r', 'k', 't']],
];

for (const [rule, dialects, inInitramfs, expected] of CHOICES) {
  t.test(rule, (t) => {
    t.same(
      countingEntries(ALL, { dialects, inInitramfs }).map(({ name }) => name),
      expected,
    );
    t.end();
  });
}
