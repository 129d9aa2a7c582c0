import t from 'tap';
import { reasonsFor } from '../../../agent/explain/why/reasons.ts';
import { diagnosticsRig } from '../../fixtures/diagnostics-rig.ts';

const CONF = 'root/etc/modprobe.d/x.conf';

t.test('a module that is not loaded', (t) => {
  const { base, tree, host } = diagnosticsRig(t);
  t.match(reasonsFor(host, 'nouveau'), {
    asked: 'nouveau',
    module: 'nouveau',
    state: { kind: 'absent', holders: [] },
    path: `${tree}/kernel/gpu/nouveau.ko`,
    description: 'Open driver',
    devices: [{ devpath: '/devices/pci0/0000:01:00.0', asks: 'pci:v000010DEd00001234', driven: false }],
    neededBy: [],
    aliases: ['pci:v000010DEd*'],
    rules: [],
    moduleDir: tree,
  });
  t.notOk(base.includes('nouveau'));
  t.end();
});

t.test('what a word may be', (t) => {
  const { host } = diagnosticsRig(t, { [CONF]: 'alias looping loop' });
  const asked = (word: string) => reasonsFor(host, word);
  t.match(asked('virtio-net'), { module: 'virtio_net' }, 'either spelling');
  t.match(asked('/lib/modules/x/virtio_net.ko.xz'), { module: 'virtio_net' }, 'a file');
  t.match(asked('virtio_net.ko'), { module: 'virtio_net' });
  t.match(asked('block-major-7-0'), { module: 'loop', aliasOf: ['loop'] }, 'an alias');
  t.match(
    asked('looping'),
    { module: 'loop', aliasOf: ['loop'], aliases: ['looping', 'block_major_7_*'] },
    'an alias line',
  );
  t.match(asked('button'), { module: 'button', state: { kind: 'builtin' }, ways: [] }, 'built in');
  t.match(asked('nouveu'), { state: { kind: 'unknown-module' }, ways: [], suggestion: 'nouveau' }, 'near a name');
  t.throws(() => asked('pci:v1'), { code: 'usage' });
  t.end();
});

const RULES: ReadonlyArray<readonly [rule: string, conf: string, module: string, expected: readonly string[]]> = [
  ['none', 'blacklist loop', 'nouveau', []],
  [
    'blacklist, options',
    'blacklist nouveau\noptions nouveau a=1',
    'nouveau',
    ['blacklist nouveau', 'options nouveau a=1'],
  ],
  ['an alias line that leads its name elsewhere', 'alias nouveau off', 'nouveau', ['alias nouveau off']],
  [
    'an alias line that leads its MODALIAS elsewhere',
    'alias pci:v000010DE* off',
    'nouveau',
    ['alias pci:v000010DE* off'],
  ],
  [
    'an alias line beside other rules',
    'blacklist nouveau\nalias nouveau loop',
    'nouveau',
    ['alias nouveau loop', 'blacklist nouveau'],
  ],
  ['an alias line that leads here is none', 'alias nou nouveau', 'nouveau', []],
];

t.test('the rules about it', (t) => {
  for (const [rule, conf, module, expected] of RULES) {
    const { host } = diagnosticsRig(t, { [CONF]: conf });
    t.same(
      reasonsFor(host, module).rules.map(({ text }) => text),
      expected,
      rule,
    );
  }
  t.end();
});

t.test('an alias line does not hide what the kernel would refuse', (t) => {
  const { host } = diagnosticsRig(t, { [CONF]: 'alias other off' });
  t.match(reasonsFor(host, 'other'), { module: 'other', refusal: { cause: 'vermagic' } });
  t.end();
});
