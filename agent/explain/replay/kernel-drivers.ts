/**
 * What is known of drivers beyond what a tree says of itself: those that are a part of the kernel, not a module of its list, with
 * the option that builds them; those whose module has another name; and those that another driver has succeeded. Keys are the
 * driver's name in sysfs, with its subsystem in front where the name alone says too little. What many machines have stands here also where
 * the kernel's image would tell: unpacking that takes a second.
 */
import type { ModuleName } from '../../base/names.ts';

/** Driver → the option that builds it, or several (`A|B`). Every general-purpose kernel has those of the first group. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  'pci pcieport': 'PCIEPORTBUS',
  'cpu processor': 'ACPI_PROCESSOR',
  'acpi processor': 'ACPI_PROCESSOR',
  'usb usb': 'USB',
  'usb hub': 'USB',
  alarmtimer: 'RTC_CLASS',
  'reg-dummy': 'REGULATOR',
  serial8250: 'SERIAL_8250',
  'i2c dummy': 'I2C',
  'acpi ec': 'ACPI',
  'acpi pci_link': 'ACPI',
  'acpi pci_root': 'ACPI',
  'acpi power': 'ACPI',
  'platform acpi-ec': 'ACPI',
  'pnp system': 'PNP',
};

const OPTIONS: Readonly<Record<string, string>> = {
  ...EVERYWHERE,
  'acpi hardware_error_device': 'ACPI_APEI_GHES',
  'acpi-hardware-error-device': 'ACPI_APEI_GHES',
  GHES: 'ACPI_APEI_GHES',
  PCCT: 'PCC',
  'pci_express pcie_pme': 'PCIE_PME',
  'pci_express pciehp': 'HOTPLUG_PCI_PCIE',
  'pci_express aer': 'PCIEAER',
  'pci_express dpc': 'PCIE_DPC',
  'pci agpgart-intel': 'AGP_INTEL',
  amd_gpio: 'PINCTRL_AMD',
  byt_gpio: 'PINCTRL_BAYTRAIL',
  'cherryview-pinctrl': 'PINCTRL_CHERRYVIEW',
  'clk-lpt': 'X86_INTEL_LPSS',
  'pci serial': 'SERIAL_8250_PCI',
  'pnp serial': 'SERIAL_8250_PNP',
  'dw-apb-uart': 'SERIAL_8250_DW',
  kgdboc: 'KGDB_SERIAL_CONSOLE',
  'simple-framebuffer': 'FB_SIMPLE|DRM_SIMPLEDRM',
  'efi-framebuffer': 'FB_EFI|DRM_EFIDRM',
  'vesa-framebuffer': 'FB_VESA|DRM_VESADRM',
  iosf_mbi_pci: 'IOSF_MBI',
  i2c_designware: 'I2C_DESIGNWARE_PLATFORM',
  'reg-fixed-voltage': 'REGULATOR_FIXED_VOLTAGE',
  sram: 'SRAM',
  'arm-pmu': 'ARM_PMU',
  'armv7-pmu': 'ARM_PMU',
  'armv8-pmu': 'ARM_PMU',
  'arm-scmi': 'ARM_SCMI_PROTOCOL',
  'psci-cpuidle-domain': 'ARM_PSCI_CPUIDLE_DOMAIN',
  'uart-pl011': 'SERIAL_AMBA_PL011',
  ptdma: 'AMD_PTDMA',
  rtw89_8852ce: 'RTW89_8852CE',
  'amd-pmf': 'AMD_PMF',
  intc_sar: 'INTEL_SAR_INT1092',
  'wireless-hotkey': 'WIRELESS_HOTKEY',
  'mlx5_fwctl.mlx5_fwctl': 'FWCTL_MLX5',
  // ARM
  pl320: 'PL320_MBOX',
  hb_l2_edac: 'EDAC_HIGHBANK_L2',
  hb_mc_edac: 'EDAC_HIGHBANK_MC',
  pca953x: 'GPIO_PCA953X',
  'fsl-linflexuart': 'SERIAL_FSL_LINFLEXUART',
  'fsl-ftm-pwm': 'PWM_FSL_FTM',
  'brcm-pcie': 'PCIE_BRCMSTB',
  'brcm2711-dvp': 'CLK_BCM2711_DVP',
  'bcm2835-clk': 'CLK_BCM2835',
  'bcm2835-aux-clk': 'CLK_BCM2835',
  'bcm2835-aux-uart': 'SERIAL_8250_BCM2835AUX',
  'bcm2835-mbox': 'BCM2835_MBOX',
  bcm2711_thermal: 'BCM2711_THERMAL',
  bcmgenet: 'BCMGENET',
  v3d: 'DRM_V3D',
  'raspberrypi-clk': 'CLK_RASPBERRYPI',
  'raspberrypi-firmware': 'RASPBERRYPI_FIRMWARE',
  'raspberrypi-exp-gpio': 'GPIO_RASPBERRYPI_EXP',
  'raspberrypi-hwmon': 'SENSORS_RASPBERRYPI_HWMON',
  'raspberrypi-ts': 'TOUCHSCREEN_RASPBERRYPI_FW',
  // OMAP boards
  twl: 'TWL4030_CORE',
  twl_reg: 'REGULATOR_TWL4030',
  twl_rtc: 'RTC_DRV_TWL4030',
  'dmic-codec': 'SND_SOC_DMIC',
  'omap-iommu': 'OMAP_IOMMU',
  omap_timer: 'OMAP_DM_TIMER',
  omap_uart: 'SERIAL_OMAP',
  omap_gpio: 'GPIO_OMAP',
  omap_hwspinlock: 'HWSPINLOCK_OMAP',
  omap_dma_system: 'DMA_OMAP',
  usbhs_tll: 'MFD_OMAP_USB_HOST',
  // s390
  'ccw 3215': 'TN3215',
  'platform sclp': 'S390',
  'platform appldata': 'APPLDATA_BASE',
};

/** The options that build a driver, any of them; undefined for one that is a module, or not known. `everywhere`: no kernel of use is without it. */
export function optionsOf(
  subsystem: string,
  driver: string,
): { readonly options: readonly string[]; readonly everywhere: boolean } | undefined {
  for (const key of [`${subsystem} ${driver}`, driver]) {
    const option = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    if (option !== undefined)
      return { options: option.split('|').map((name) => `CONFIG_${name}`), everywhere: Object.hasOwn(EVERYWHERE, key) };
  }
  return undefined;
}

/** Drivers whose module neither has their name nor is found by a device's MODALIAS. */
const MODULES: Readonly<Record<string, string>> = {
  'usb usb': 'usbcore',
  'usb hub': 'usbcore',
  'pnp i8042 kbd': 'i8042',
  'pnp i8042 aux': 'i8042',
  'snd-soc-dummy': 'snd_soc_core',
  ipmi: 'ipmi_msghandler',
  // Without an alias since 7.0.
  'acpi video': 'video',
  'pci sbridge_edac': 'sb_edac',
  'dmic-codec': 'snd_soc_dmic',
  kim: 'st_drv',
  'fsl-quadspi': 'spi_fsl_qspi',
  bcm2835_audio: 'snd_bcm2835',
  // Parts of the display of OMAP boards.
  dmm: 'omapdrm',
  omapdss_dss: 'omapdrm',
  omapdss_dispc: 'omapdrm',
  omapdss_hdmi: 'omapdrm',
};

/** The module of such a driver; undefined for others. */
export function moduleOfDriver(subsystem: string, driver: string): ModuleName | undefined {
  for (const key of [`${subsystem} ${driver}`, driver])
    if (Object.hasOwn(MODULES, key)) return MODULES[key] as ModuleName;
  return undefined;
}

/** Driver → modules that took over its devices, or its name's place. */
const SUCCESSORS: Readonly<Record<string, RegExp>> = {
  'HDA Intel': /^snd_hda_intel$/,
  // Since 6.17 each family of codecs has a module of its own.
  snd_hda_codec_realtek: /^snd_hda_codec_alc\w+$/,
  snd_hda_codec_hdmi: /^snd_hda_codec_\w*hdmi$/,
  snd_hda_codec_cirrus: /^snd_hda_codec_cs\w+$/,
  ehci_hcd: /^ehci_pci$/,
  ohci_hcd: /^ohci_pci$/,
  'generic-usb': /^hid_generic$/,
  'logitech-djdevice': /^hid_logitech_dj$/,
  i2c_hid: /^i2c_hid_(acpi|of)$/,
  i915_bpo: /^i915$/,
  mei: /^mei_me$/,
  r8168: /^r8169$/,
  r8125: /^r8169$/,
  proc_thermal: /^processor_thermal_device_pci(_legacy)?$/,
  e820_pmem: /^nd_e820$/,
  ahci: /^(sata_highbank|ahci_platform)$/,
  calxedaxgmac: /^xgmac$/,
};

/** Whether a module is known to have succeeded a driver. */
export function succeeds(module: string, driver: string): boolean {
  return Object.hasOwn(SUCCESSORS, driver) && SUCCESSORS[driver]?.test(module) === true;
}
