import t from 'tap';
import { moduleOfDriver, optionsOf, succeeds } from '../../../agent/explain/replay/kernel-drivers.ts';

t.test('drivers whose module has another name', (t) => {
  for (const [subsystem, driver, module] of [
    ['usb', 'hub', 'usbcore'],
    ['platform', 'kim', 'st_drv'],
    ['platform', 'dmm', 'omapdrm'],
    ['platform', 'omapdss_hdmi', 'omapdrm'],
    ['platform', 'bcm2835_audio', 'snd_bcm2835'],
    ['platform', 'fsl-quadspi', 'spi_fsl_qspi'],
    ['pnp', 'i8042 kbd', 'i8042'],
    ['pnp', 'i8042 aux', 'i8042'],
    ['pci', 'hub', undefined],
    ['platform', 'omapdss', undefined],
    ['platform', 'toString', undefined],
  ] as const)
    t.equal(moduleOfDriver(subsystem, driver), module, `${subsystem} ${driver}`);
  t.end();
});

t.test('drivers that an option of the kernel builds', (t) => {
  t.same(optionsOf('pci', 'pcieport'), { options: ['CONFIG_PCIEPORTBUS'], everywhere: true });
  t.same(optionsOf('platform', 'efi-framebuffer'), {
    options: ['CONFIG_FB_EFI', 'CONFIG_DRM_EFIDRM'],
    everywhere: false,
  });
  t.same(optionsOf('pci_express', 'pcie_pme')?.options, ['CONFIG_PCIE_PME']);
  t.same(optionsOf('pci_express', 'pciehp')?.options, ['CONFIG_HOTPLUG_PCI_PCIE']);
  t.equal(optionsOf('usb', 'pcieport'), undefined, 'on another bus');
  t.equal(optionsOf('pci', 'constructor'), undefined);
  t.end();
});

t.test('successors', (t) => {
  t.ok(succeeds('r8169', 'r8168'));
  t.ok(succeeds('snd_hda_codec_alc269', 'snd_hda_codec_realtek'));
  t.notOk(succeeds('r8168', 'r8169'), 'not the other way');
  t.notOk(succeeds('r8169', 'valueOf'));
  t.end();
});
