import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { reasonsFor } from '../../../agent/explain/why/reasons.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

const CONF = 'root/etc/modprobe.d/x.conf';
const WAYS = {
  device: 'a device, by its MODALIAS',
  alias: 'the kernel asks, by an alias',
  name: 'the kernel asks, by its name',
  modprobe: 'modprobe MODULE',
  udev: 'modprobe -b MODULE, udev rules',
  needed: 'another module needs it',
  softdep: 'softdep of another module',
  list: 'a list for boot (modules-load.d)',
  insmod: 'insmod FILE',
  initramfs: 'the initramfs',
} as const;

interface Row {
  readonly module: string;
  readonly conf?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** `ANSWER`, with `LINE` of x.conf where a rule is named; of the ways that matter. */
  readonly ways: { readonly [Way in keyof typeof WAYS]?: string };
}

const ROWS: Readonly<Record<string, Row>> = {
  'no rule, a module with a MODALIAS': {
    module: 'nouveau',
    ways: {
      device: 'allowed',
      alias: 'no-way',
      name: 'allowed',
      modprobe: 'allowed',
      udev: 'allowed',
      needed: 'no-way',
    },
  },
  'no rule, the rest': {
    module: 'nouveau',
    ways: { softdep: 'no-way', list: 'no-way', insmod: 'allowed', initramfs: 'no-way' },
  },
  'a module with an alias of request_module()': { module: 'loop', ways: { device: 'no-way', alias: 'allowed' } },
  'a module that others need': { module: 'virtio', ways: { needed: 'allowed', device: 'no-way' } },
  'blacklist covers aliases and -b': {
    module: 'nouveau',
    conf: 'blacklist nouveau',
    ways: { device: 'blocked 1', name: 'allowed', modprobe: 'allowed', udev: 'blocked 1', insmod: 'allowed' },
  },
  'blacklist does not cover dependencies': {
    module: 'virtio',
    conf: 'blacklist virtio\nsoftdep loop pre: virtio',
    ways: { needed: 'allowed', softdep: 'allowed 2', modprobe: 'allowed' },
  },
  'install covers all but insmod': {
    module: 'virtio',
    conf: 'install virtio /bin/false\nsoftdep loop pre: virtio',
    ways: { name: 'blocked 1', modprobe: 'blocked 1', needed: 'blocked 1', softdep: 'blocked 1', insmod: 'allowed' },
  },
  'an install line that does something': {
    module: 'nouveau',
    conf: 'install nouveau /sbin/modprobe -i nouveau',
    ways: { device: 'command 1', modprobe: 'command 1' },
  },
  'an alias line leads the name to no module': {
    module: 'nouveau',
    conf: 'alias nouveau off',
    ways: { device: 'allowed', name: 'blocked 1', modprobe: 'blocked 1', udev: 'blocked 1', insmod: 'allowed' },
  },
  'an alias line leads the name to another module': {
    module: 'nouveau',
    conf: 'alias nouveau loop',
    ways: { device: 'allowed', modprobe: 'blocked 1' },
  },
  'an alias line with a wildcard': { module: 'nouveau', conf: 'alias nou* off', ways: { name: 'blocked 1' } },
  'an alias line leads the MODALIAS elsewhere': {
    module: 'nouveau',
    conf: 'alias pci:v000010DEd* off',
    ways: { device: 'blocked 1', name: 'allowed', modprobe: 'allowed' },
  },
  'an alias line leads some MODALIASes elsewhere': {
    module: 'nouveau',
    conf: 'alias pci:v000010DEd00001234* off',
    ways: { device: 'allowed 1' },
  },
  'an alias line leads what the kernel asks for elsewhere': {
    module: 'loop',
    conf: 'alias block-major-7-* off',
    ways: { alias: 'blocked 1', name: 'allowed' },
  },
  'an alias line that leads here as well': {
    module: 'nouveau',
    conf: 'alias nouveau off\nalias nouveau nouveau',
    ways: { modprobe: 'allowed' },
  },
  'alias lines are no chains': {
    module: 'nouveau',
    conf: 'alias nouveau loop\nalias loop nouveau',
    ways: { modprobe: 'blocked 1' },
  },
  'an alias line does not touch dependencies': {
    module: 'virtio',
    conf: 'alias virtio off',
    ways: { needed: 'allowed', name: 'blocked 1' },
  },
  'an alias line leads the member of a softdep elsewhere': {
    module: 'virtio',
    conf: 'alias virtio off\nsoftdep loop pre: virtio',
    ways: { softdep: 'blocked 1' },
  },
  'a softdep names it by an alias': {
    module: 'loop',
    conf: 'softdep nouveau post: block-major-7-0',
    ways: { softdep: 'allowed 1' },
  },
  'blacklist comes before an alias line that takes only some': {
    module: 'nouveau',
    conf: 'blacklist nouveau\nalias pci:v000010DEd00001234* off',
    ways: { device: 'blocked 1' },
  },
  'module_blacklist= covers everything': {
    module: 'virtio',
    files: { 'proc/cmdline': 'module_blacklist=virtio' },
    ways: { name: 'blocked 1', modprobe: 'blocked 1', needed: 'blocked 1', insmod: 'blocked 1' },
  },
  'the policy says no to devices': {
    module: 'nouveau',
    files: { 'root/etc/plugd/policy.conf': 'deny module=nouveau' },
    ways: { device: 'blocked 1', modprobe: 'allowed' },
  },
};

for (const [rule, { module, conf = '', files = {}, ways }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const { host } = diagnosticsRig(t, { ...files, ...(conf === '' ? {} : { [CONF]: conf }) });
    const all = reasonsFor(host, module).ways;
    const found = Object.keys(ways).map((key) => {
      const name = WAYS[key as keyof typeof WAYS].replace('MODULE', moduleName(module));
      const { answer, place } = all.find((each) => each.way === name) ?? { answer: 'missing' };
      return [key, place === undefined ? answer : `${answer} ${place.line}`];
    });
    t.same(Object.fromEntries(found), ways);
    t.end();
  });
}

t.test('what an alias line does, in words', (t) => {
  const { host } = diagnosticsRig(t, { [CONF]: 'alias nouveau off\nalias loop nouveau\nalias pci:v1* off' });
  const because = (module: string, name: keyof typeof WAYS) =>
    reasonsFor(host, module).ways.find(({ way }) => way === WAYS[name].replace('MODULE', module))?.because;
  t.equal(because('nouveau', 'modprobe'), 'alias nouveau off: nothing is loaded');
  t.equal(because('loop', 'modprobe'), 'alias loop nouveau: nouveau is loaded instead');
  t.end();
});
