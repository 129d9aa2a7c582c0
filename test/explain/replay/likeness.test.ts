import t from 'tap';
import { succeeds } from '../../../agent/explain/replay/kernel-drivers.ts';
import { likest, isSameName, likeness, resembles } from '../../../agent/explain/replay/likeness.ts';
import { todaysModalias } from '../../../agent/explain/replay/todays-modalias.ts';
import type { Modalias } from '../../../agent/base/names.ts';

t.test('names of modules and drivers', (t) => {
  const same = [
    ['button', 'acpi-button', true],
    ['fan', 'acpi-fan', true],
    ['gpio_omap', 'omap_gpio', true],
    ['serio_raw', 'psmouse', false],
    ['8139too', '8139cp', false],
    ['rndis_wlan', 'rndis_host', false],
    ['ipmi_ssif', 'ipmi_si', false],
    ['video', 'NVIDIA ACPI Video Driver', false],
    ['snd_pci_acp3x', 'snd_pci_ps', false],
  ] as const;
  for (const [module, driver, expected] of same) t.equal(isSameName(module, driver), expected, `${module} ${driver}`);
  t.ok(likeness('intel_uncore', 'snbep_uncore') > 0);
  t.ok(likeness('micrel', 'Micrel KSZ9031 Gigabit PHY') > 0, 'in whatever case');
  t.equal(likeness('usbcore', 'usb-storage'), 0, 'common parts say nothing');
  t.ok(resembles('fixed', 'reg-fixed-voltage'));
  t.notOk(resembles('sp5100_tco', 'piix4_smbus'));
  t.notOk(resembles('', 'x'));
  t.end();
});

t.test('known successors', (t) => {
  for (const [module, driver, expected] of [
    ['snd_hda_codec_alc269', 'snd_hda_codec_realtek', true],
    ['snd_hda_codec_hdmi', 'snd_hda_codec_realtek', false],
    ['r8169', 'r8125', true],
    ['nouveau', 'nvidia', false],
    ['x', 'constructor', false],
  ] as const)
    t.equal(succeeds(module, driver), expected, `${module} for ${driver}`);
  t.end();
});

t.test('a MODALIAS of an old kernel as it is today', (t) => {
  const rows: ReadonlyArray<readonly [old: string, now: string | undefined]> = [
    ['usb:v0461p4D80d0200dc00dsc00dp00ic03isc01ip02', 'usb:v0461p4D80d0200dc00dsc00dp00ic03isc01ip02in00'],
    ['usb:v0461p4D80d0200dc00dsc00dp00ic03isc01ip02in00', undefined],
    ['hid:b0003v00000461p00004D80', 'hid:b0003g0001v00000461p00004D80'],
    [
      'x86cpu:vendor:0000:family:0006:model:002D:feature:,0000,00E7',
      'cpu:type:x86,ven0000fam0006mod002D:feature:,0000,00E7,01C0',
    ],
    ['pci:v00008086d00000F48', undefined],
  ];
  for (const [old, now] of rows) t.equal(todaysModalias(old as Modalias), now as Modalias | undefined, old);
  t.end();
});

t.test('the likest modules come first', (t) => {
  t.same(likest(['loop', 'intel_uncore', 'snbep_uncore'], 'snbep_uncore'), ['snbep_uncore', 'intel_uncore']);
  t.same(likest([], 'x'), []);
  const many = Array.from({ length: 30 }, (_, i) => `uncore_${i}`);
  t.equal(likest(many, 'snbep_uncore').length, 10, 'no more than ten are looked into');
  t.same(
    likest(['b_uncore', 'a_uncore', 'usbcore'], 'uncore usb'),
    ['b_uncore', 'a_uncore'],
    'equal ones in their order',
  );
  t.end();
});
