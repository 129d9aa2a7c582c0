import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { bootListWay } from '../../../agent/explain/why/boot-list-way.ts';
import { openSources } from '../../../agent/load/sources.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

interface Row {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly module?: string;
  /** `ANSWER PLACE because`, paths below the root. */
  readonly expected: string;
}

const ETC = 'root/etc/modules-load.d';
const USR = 'root/usr/lib/modules-load.d';

const ROWS: Readonly<Record<string, Row>> = {
  'no list': { expected: 'no-way - no list names it' },
  'a file of /etc': {
    files: { [`${ETC}/a.conf`]: '# x\nloop\n' },
    expected: 'allowed /etc/modules-load.d/a.conf:2 it is listed',
  },
  'a file of /usr/lib': {
    files: { [`${USR}/a.conf`]: 'loop' },
    expected: 'allowed /usr/lib/modules-load.d/a.conf:1 it is listed',
  },
  'a name with Windows line ends': {
    files: { [`${ETC}/a.conf`]: 'loop\r\n' },
    expected: 'allowed /etc/modules-load.d/a.conf:1 it is listed',
  },
  'either spelling': {
    files: { [`${ETC}/a.conf`]: 'virtio-net' },
    module: 'virtio_net',
    expected: 'allowed /etc/modules-load.d/a.conf:1 it is listed',
  },
  'by an alias': {
    files: { [`${ETC}/a.conf`]: 'block-major-7-0' },
    expected: 'allowed /etc/modules-load.d/a.conf:1 it is listed',
  },
  'a file without .conf is no list': { files: { [`${ETC}/a`]: 'loop' }, expected: 'no-way - no list names it' },
  'a link to /dev/null masks': {
    files: { [`${USR}/a.conf`]: 'loop' },
    links: { [`${ETC}/a.conf`]: '/dev/null' },
    expected: 'no-way /usr/lib/modules-load.d/a.conf:1 /etc/modules-load.d/a.conf masks the list that names it',
  },
  'an empty file masks': {
    files: { [`${USR}/a.conf`]: 'loop', [`${ETC}/a.conf`]: '' },
    expected: 'no-way /usr/lib/modules-load.d/a.conf:1 /etc/modules-load.d/a.conf masks the list that names it',
  },
  'another list of the same name masks, also from /run': {
    files: { [`${USR}/a.conf`]: 'loop', 'root/run/modules-load.d/a.conf': 'nouveau' },
    expected: 'no-way /usr/lib/modules-load.d/a.conf:1 /run/modules-load.d/a.conf masks the list that names it',
  },
  'a masked list does not hide another one': {
    files: { [`${USR}/a.conf`]: 'loop', [`${ETC}/a.conf`]: '', [`${USR}/b.conf`]: 'loop' },
    expected: 'allowed /usr/lib/modules-load.d/b.conf:1 it is listed',
  },
  'what follows a name makes it another name': {
    files: { [`${ETC}/a.conf`]: 'loop max_loop=8' },
    expected: 'blocked /etc/modules-load.d/a.conf:1 all of the line is taken for a name: loop max_loop=8',
  },
  '/etc/modules takes parameters': {
    files: { 'root/etc/modules': 'loop max_loop=8' },
    expected: 'allowed /etc/modules:1 it is listed',
  },
  '/etc/modules as a list of systemd is read as one': {
    files: { 'root/etc/modules': 'loop max_loop=8' },
    links: { [`${ETC}/modules.conf`]: '../modules' },
    expected: 'blocked /etc/modules-load.d/modules.conf:1 all of the line is taken for a name: loop max_loop=8',
  },
  'the kernel command line': {
    files: { 'proc/cmdline': 'quiet modules_load=brd,loop' },
    expected: 'allowed /proc/cmdline:1 it is listed',
  },
  'rd.modules_load= is for the initramfs': {
    files: { 'proc/cmdline': 'rd.modules_load=loop' },
    expected: 'no-way /proc/cmdline:1 rd.modules_load= names it, which counts in the initramfs only',
  },
  'blacklist counts in modules-load.d': {
    files: { [`${ETC}/a.conf`]: 'loop', 'root/etc/modprobe.d/b.conf': 'blacklist loop' },
    expected: 'blocked /etc/modprobe.d/b.conf:1 blacklist loop',
  },
  'blacklist does not count in /etc/modules': {
    files: { 'root/etc/modules': 'loop', 'root/etc/modprobe.d/b.conf': 'blacklist loop' },
    expected: 'allowed /etc/modules:1 blacklist does not count here',
  },
  'the list that is allowed comes before the one that is not': {
    files: { [`${ETC}/a.conf`]: 'loop', 'root/etc/modules': 'loop', 'root/etc/modprobe.d/b.conf': 'blacklist loop' },
    expected: 'allowed /etc/modules:1 blacklist does not count here',
  },
  'an alias line leads the name elsewhere': {
    files: { [`${ETC}/a.conf`]: 'loop', 'root/etc/modprobe.d/b.conf': 'alias loop off' },
    expected: 'blocked /etc/modprobe.d/b.conf:1 alias loop off: nothing is loaded',
  },
  'an alias line leads the alias of a list elsewhere': {
    files: { [`${ETC}/a.conf`]: 'block-major-7-0', 'root/etc/modprobe.d/b.conf': 'alias block-major-7* nouveau' },
    expected: 'blocked /etc/modprobe.d/b.conf:1 alias block_major_7* nouveau: nouveau is loaded instead',
  },
  'an alias line leads another name here': {
    files: { [`${ETC}/a.conf`]: 'looping', 'root/etc/modprobe.d/b.conf': 'alias looping loop' },
    expected: 'allowed /etc/modules-load.d/a.conf:1 it is listed',
  },
  'an install line': {
    files: { [`${ETC}/a.conf`]: 'loop', 'root/etc/modprobe.d/b.conf': 'install loop /bin/false' },
    expected: 'blocked /etc/modprobe.d/b.conf:1 install loop /bin/false',
  },
};

for (const [rule, { files = {}, links = {}, module = 'loop', expected }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const { base, host } = diagnosticsRig(t, files);
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(dirname(join(base, path)), { recursive: true });
      symlinkSync(target, join(base, path));
    }
    const sources = openSources(host);
    const rules = { config: sources.config, has: (name: string) => name === 'nouveau' };
    const { answer, because, place } = bootListWay({
      host,
      sources,
      module: moduleName(module),
      aliases: ['block_major_7_*'],
      rules,
    });
    const at = place === undefined ? '-' : `${place.file}:${place.line}`;
    t.equal(`${answer} ${at} ${because}`.replaceAll(`${base}/root`, '').replaceAll(base, ''), expected);
    t.end();
  });
}
