import t from 'tap';
import { idleRules } from '../../../agent/explain/doctor/idle-rules.ts';
import { openSources } from '../../../agent/load/sources.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

const ETC = 'root/etc/modprobe.d/a.conf';
const USR = 'root/usr/lib/modprobe.d/v.conf';

interface Row {
  readonly conf?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** `LINE: why; suggestion`, and `harmless` when it is. */
  readonly idle?: readonly string[];
}

const ROWS: Readonly<Record<string, Row>> = {
  'rules that count': {
    conf: [
      'blacklist nouveau',
      'options virtio_net napi_tx=1',
      'options block-major-7-0 x=1',
      'install loop /sbin/there',
      'remove virtio_* /sbin/there',
      'softdep virtio-net pre: virtio post: block-major-7-0',
      'weakdep v* loop',
      'alias looping loop',
      'alias x off',
    ].join('\n'),
    files: { 'root/sbin/there': '' },
  },

  'a name that is near': { conf: 'blacklist nouveu', idle: ['1: there is no module nouveu; nouveau'] },
  'a name that is near no other may be for another kernel': {
    conf: 'blacklist xyzzy',
    idle: ['1: there is no module xyzzy; - harmless'],
  },
  "a distribution's rule may be for another kernel": {
    files: { [USR]: 'blacklist nouveu\nsoftdep loup pre: nosuch' },
    idle: [
      '1: there is no module nouveu; - harmless',
      '2: there is no module loup; - harmless',
      '2: there is no module nosuch; - harmless',
    ],
  },
  'a file or a path is no name': {
    conf: 'blacklist nouveau.ko\nblacklist /lib/x/loop.ko.xz',
    idle: [
      "1: a module's name is wanted here, not a file's; nouveau",
      "2: a module's name is wanted here, not a file's; loop",
    ],
  },
  'an alias is no name': {
    conf: 'blacklist block-major-7-0\nsoftdep virtio:d00000001v1 pre: loop',
    idle: [
      '1: block_major_7_0 is an alias, and the name of a module is wanted here; loop',
      '2: virtio:d00000001v1 is an alias, and the name of a module is wanted here; virtio_net',
    ],
  },

  'blacklist of what is built in': {
    conf: 'blacklist button',
    idle: ['1: button is built into the kernel: no rule keeps it out; -'],
  },
  'blacklist of what has no alias': {
    conf: 'blacklist virtio',
    idle: ['1: virtio has no alias, and blacklist counts only for aliases: requests for it use its name; -'],
  },
  'blacklist of what has an alias line': { conf: 'blacklist virtio\nalias v1 virtio' },
  'blacklist twice does no harm': { conf: 'blacklist nouveau\nblacklist nouveau' },
  'blacklist with a wildcard': {
    conf: 'blacklist virtio_*\nblacklist pci:v000010DE*',
    idle: [
      '1: blacklist takes no wildcards: it names one module; install virtio_* /bin/false',
      '2: blacklist takes no wildcards: it names one module; alias pci:v000010DE* off',
    ],
  },
  'modprobe.blacklist= likewise': {
    files: { 'proc/cmdline': 'modprobe.blacklist=nouv*' },
    idle: ['1: blacklist takes no wildcards: it names one module; install nouv* /bin/false'],
  },
  'module_blacklist=': {
    files: { 'proc/cmdline': 'module_blacklist=virtio-net,button,nouv*,nouveu,loop' },
    idle: [
      "1: the kernel compares letter for letter, and no module's name has a '-'; virtio_net",
      '1: button is built into the kernel; -',
      '1: module_blacklist= takes no wildcards: it names one module; install nouv* /bin/false',
      '1: there is no module nouveu; nouveau',
    ],
  },

  'options with a wildcard': {
    conf: 'options * debug=1\noptions virtio_* a=1',
    idle: [
      '1: options takes no wildcards: it names one module; -',
      '2: options takes no wildcards: it names one module; -',
    ],
  },
  'options for the pattern of an alias line': { conf: 'alias net* virtio_net\noptions net* napi_tx=1' },
  "the kernel's own options with wildcards": { files: { 'proc/cmdline': '*.dyndbg=+p acpi.x=1' } },
  'options that no module has': {
    conf: 'options virtio_net naqi_tx=1 napi_tx=maybe',
    idle: [
      '1: virtio_net has no parameter naqi_tx; napi_tx',
      '1: maybe is no value for napi_tx, which is of type bool: the kernel refuses the module; -',
    ],
  },
  'options of what is built in': {
    conf: 'options button x=1',
    idle: ['1: button is built into the kernel: write button.PARAMETER=VALUE on its command line; -'],
  },

  'the first line counts': {
    conf: 'install loop /sbin/there\ninstall loop /sbin/gone\nsoftdep loop pre: virtio\nsoftdep loop pre: nosuch',
    files: { 'root/sbin/there': '' },
    idle: ['2: an earlier line counts: a.conf:1; -', '4: an earlier line counts: a.conf:3; -'],
  },
  'a command that does not exist': {
    conf: 'install loop /bin/flase\nremove loop tru; /sbin/gone x',
    files: { 'root/bin/false': '', 'root/usr/bin/true': '' },
    idle: [
      '1: there is no command /bin/flase, so it always fails; /bin/false',
      '2: there is no command tru, so it always fails; true',
      '2: there is no command /sbin/gone, so it always fails; -',
    ],
  },
  'a command of PATH, and what only the shell can tell': {
    conf: 'install loop there && $CMD\ninstall nouveau { A=1; true; }\ninstall virtio X=1 "gone" \'x\'',
    files: { 'root/usr/sbin/there': '' },
  },
  'a command that does nothing need not exist': { conf: 'install loop /bin/false' },
  'never, for a name that is nearly right': {
    conf: 'install nouveu /bin/false',
    idle: ['1: there is no module nouveu; nouveau'],
  },
  'a name that only an install line has': { conf: 'install sound-slot-0 /bin/true' },
  'a wildcard that matches no module': {
    conf: 'install dvb_* /bin/false\nsoftdep dvb_* pre: loop',
    idle: ["1: no module's name matches dvb_*; - harmless", "2: no module's name matches dvb_*; - harmless"],
  },
  'a pattern for aliases': {
    conf: 'install pci:v000010DE* /bin/false',
    idle: ['1: install is about names of modules: a pattern for aliases matches none of them; -'],
  },

  'a softdep without its words': {
    conf: 'softdep nouveau pre loop',
    idle: ['1: it names nothing: the words are pre: and post:, each with its colon; -'],
  },
  'a softdep with a member that is nearly right': {
    conf: 'softdep loop pre: virtoi',
    idle: ['1: there is no module virtoi; virtio'],
  },

  'an alias line to no module keeps a module out': { conf: 'alias nouveau dummy_off' },
  '… or a MODALIAS': { conf: 'alias pci:v000010DEd00001234* dummy_off' },
  '… or by a wildcard': { conf: 'alias nouv* dummy_off' },
  '… but a name that is nearly right was meant': {
    conf: 'alias nouveau lopo',
    idle: ['1: there is no module lopo; loop'],
  },
  'an alias line to no module for nothing': {
    conf: 'alias eth0 e10000',
    idle: ['1: there is no module e10000; - harmless'],
  },
  'alias lines are no chains': {
    conf: 'alias eth0 looping\nalias looping loop',
    idle: ['1: looping is an alias, and the name of a module is wanted here; loop'],
  },
  "depmod's own lines are its own": {
    files: { 'root/lib/modules/6.1.0-test/modules.softdep': 'softdep nosuch pre: no\n' },
  },
};

for (const [rule, { conf, files = {}, idle = [] }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const { base, host } = diagnosticsRig(t, { ...files, ...(conf === undefined ? {} : { [ETC]: `${conf}\n` }) });
    t.same(
      idleRules(host, openSources(host)).map(({ place, why, suggestion = '-', harmless }) =>
        `${place.line}: ${why}; ${suggestion}${harmless ? ' harmless' : ''}`.replaceAll(
          `${base}/root/etc/modprobe.d/`,
          '',
        ),
      ),
      idle,
    );
    t.end();
  });
}
