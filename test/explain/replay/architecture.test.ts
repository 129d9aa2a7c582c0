import t from 'tap';
import { familyOf, familyOfName, needSameArchitecture } from '../../../agent/explain/replay/architecture.ts';
import { parseMachine } from '../../../agent/facts/devices/recording.ts';

const recorded: Record<string, readonly [text: string, family: string | undefined]> = {
  'the first line says it': ['{"recording":1,"architecture":"s390x"}\n{"devpath":"/a"}', 's390'],
  'the first line before any device': [
    '{"recording":1,"architecture":"x86_64"}\n{"devpath":"/a","subsystem":"ccw"}',
    'x86',
  ],
  'channel devices are of s390': ['{"devpath":"/a","subsystem":"ccw"}', 's390'],
  'the processor of a PC': ['{"devpath":"/a","modalias":"cpu:type:x86,ven0000fam0006"}', 'x86'],
  'the same of old kernels': ['{"devpath":"/a","modalias":"x86cpu:vendor:0000:family:0006"}', 'x86'],
  'OPAL is of POWER': ['{"devpath":"/a","modalias":"of:NserialTserialCibm,opal-console-raw"}', 'powerpc'],
  'the PMU of ARMv8': ['{"devpath":"/devices/armv8_pmuv3"}', 'arm64'],
  'the cache of ARMs of 32 bits': ['{"devpath":"/a","modalias":"of:Nl2-cacheT<NULL>Carm,pl310-cache"}', 'arm'],
  'their processors': ['{"devpath":"/a","modalias":"of:NpmuT<NULL>Carm,cortex-a9-pmu"}', 'arm'],
  'a processor of 64 bits': ['{"devpath":"/a","modalias":"of:NpmuT<NULL>Carm,cortex-a53-pmu"}', 'arm of some width'],
  'an interrupt controller that both have': [
    '{"devpath":"/a","modalias":"of:NgicT<NULL>Carm,gic-400Carm,cortex-a15-gic"}',
    'arm of some width',
  ],
  'a board of Calxeda': ['{"devpath":"/a","modalias":"of:NsataT<NULL>Ccalxeda,hb-ahci"}', 'arm'],
  'a board of OMAP': ['{"devpath":"/a","modalias":"platform:omap_uart"}', 'arm'],
  "a PC's speaker beside tables of ACPI": [
    '{"devpath":"/a","modalias":"platform:pcspkr"}\n{"devpath":"/b","modalias":"acpi:PNP0303:"}',
    'x86',
  ],
  'the speaker alone': ['{"devpath":"/a","modalias":"platform:pcspkr"}', undefined],
  'the speaker of a machine by IBM': [
    '{"devpath":"/a","modalias":"platform:pcspkr"}\n{"devpath":"/b","modalias":"vio:TserialShvterm1"}',
    'powerpc',
  ],
  'the bus AMBA': ['{"devpath":"/a","subsystem":"amba"}', 'arm of some width'],
  'ARMv7 before what both widths have': [
    '{"devpath":"/devices/armv7_cortex_a9"}\n{"devpath":"/b","subsystem":"amba"}',
    'arm',
  ],
  'tables of ACPI': ['{"devpath":"/a","modalias":"acpi:PNP0303:"}', 'a machine with ACPI'],
  'nothing tells': ['{"devpath":"/a","subsystem":"acpi"}', undefined],
  'a word that is no architecture': ['{"recording":1,"architecture":"vax"}\n{"devpath":"/a"}', undefined],
};
for (const [name, [text, family]] of Object.entries(recorded)) {
  t.test(name, (t) => {
    t.equal(familyOf(parseMachine(text, 'x')), family);
    t.end();
  });
}

t.test('names of uname -m and of ELF', (t) => {
  for (const [name, family] of [
    ['i686', 'x86'],
    ['x86_64', 'x86'],
    ['aarch64', 'arm64'],
    ['armv7l', 'arm'],
    ['arm', 'arm'],
    ['s390', 's390'],
    ['ppc64le', 'powerpc'],
    ['powerpc64le', 'powerpc'],
    ['riscv64', 'riscv'],
  ] as const)
    t.equal(familyOfName(name), family, name);
  t.end();
});

t.test('one of another architecture is refused', (t) => {
  const recording = parseMachine('{"devpath":"/a","subsystem":"ccw"}', 'x');
  t.throws(() => needSameArchitecture(recording, 'x86_64', 'x'), {
    code: 'usage',
    message: 'x: the recorded machine is s390, the modules of this tree are x86_64',
  });
  needSameArchitecture(recording, 's390', 'x');
  needSameArchitecture(recording, undefined, 'x');
  t.end();
});

t.test('ARM of some width fits both, and no other', (t) => {
  const recording = parseMachine('{"devpath":"/a","subsystem":"amba"}', 'x');
  t.throws(() => needSameArchitecture(recording, 'x86_64', 'x'), { code: 'usage', message: /arm of some width/ });
  needSameArchitecture(recording, 'aarch64', 'x');
  needSameArchitecture(recording, 'arm', 'x');
  t.end();
});
