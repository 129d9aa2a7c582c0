/**
 * Why a driver of a recorded machine needs no module by modalias on Debian's kernel: for drivers that are not modules, the
 * configuration option that builds them; for the rest a reason. Keys are the driver's name in sysfs, with its subsystem in front where
 * the name alone says too little.
 */

/** Driver → the option that builds it. */
const OPTIONS: Readonly<Record<string, string>> = {
  // the kernel's own, on every machine
  pcieport: 'PCIEPORTBUS',
  alarmtimer: 'RTC_CLASS',
  'reg-dummy': 'REGULATOR',
  'reg-fixed-voltage': 'REGULATOR_FIXED_VOLTAGE',
  serial8250: 'SERIAL_8250',
  'pci serial': 'SERIAL_8250_PCI',
  'pnp serial': 'SERIAL_8250_PNP',
  'dw-apb-uart': 'SERIAL_8250_DW',
  kgdboc: 'KGDB_SERIAL_CONSOLE',
  'simple-framebuffer': 'FB_SIMPLE',
  'efi-framebuffer': 'FB_EFI',
  sram: 'SRAM',
  'i2c dummy': 'I2C',
  // ACPI and PCs
  ec: 'ACPI',
  pci_link: 'ACPI',
  pci_root: 'ACPI',
  'acpi power': 'ACPI',
  hardware_error_device: 'ACPI_APEI_GHES',
  'acpi-hardware-error-device': 'ACPI_APEI_GHES',
  GHES: 'ACPI_APEI_GHES',
  PCCT: 'PCC',
  'agpgart-intel': 'AGP_INTEL',
  amd_gpio: 'PINCTRL_AMD',
  byt_gpio: 'PINCTRL_BAYTRAIL',
  'cherryview-pinctrl': 'PINCTRL_CHERRYVIEW',
  'clk-lpt': 'X86_INTEL_LPSS',
  i2c_designware: 'I2C_DESIGNWARE_PLATFORM',
  iosf_mbi_pci: 'IOSF_MBI',
  ptdma: 'AMD_PTDMA',
  rtw89_8852ce: 'RTW89_8852CE',
  'amd-pmf': 'AMD_PMF',
  intc_sar: 'INTEL_SAR_INT1092',
  'wireless-hotkey': 'WIRELESS_HOTKEY',
  'mlx5_fwctl.mlx5_fwctl': 'FWCTL_MLX5',
  // ARM
  'arm-pmu': 'ARM_PMU',
  'armv7-pmu': 'ARM_PMU',
  'armv8-pmu': 'ARM_PMU',
  'arm-scmi': 'ARM_SCMI_PROTOCOL',
  'psci-cpuidle-domain': 'ARM_PSCI_CPUIDLE_DOMAIN',
  'uart-pl011': 'SERIAL_AMBA_PL011',
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
};

/** Drivers whose devices find no module by this string, and why. */
const REASONS: ReadonlyArray<readonly [drivers: RegExp, why: string]> = [
  [
    /^(coretemp|dcdbas|dell-laptop|dell-rbtn|floppy|hp-wmi|acpi-cpufreq|ipmi_si|snd-soc-dummy|intel_rapl)$/,
    'the device is made by the module that drives it',
  ],
  [/^ipmi$/, 'a device of ipmi_msghandler, made by the module that drives it'],
  [/^(sbridge_edac|snbep_uncore)$/, 'its module comes by the modalias of the processor'],
  [/^cs35l41-hda$/, "its module comes by the parent device's ACPI id"],
  [/^hts221_i2c$/, 'this kernel has no ACPI id for it'],
  [/^(Aquantia|Micrel|Broadcom) /, 'a network PHY: its module comes by the MDIO id that the bus reads'],
  [/^(nvidia|vboxdrv|RSI-SDIO WLAN)$/, "a driver from outside the kernel, or a vendor's own"],
  [
    /^(hse-uio|imx-i2c|imx_usb|usbmisc_imx|pfeng|ddr|sja1110|llce_|s32|phy-s32cc|nxp_s32cc|NXP S32CC|flexcan|fsl-|sdhci-esdhc-imx)/,
    "a vendor's kernel: this system on a chip is not in this kernel",
  ],
  [
    /^(bcm2835-codec|bcm2835-isp|bcm2835-vcsm|vcsm-cma|bcm2835_audio|bcm2835_vchiq|gpiomem-bcm2835|rpi-backlight|rpivid-mem|vc4_firmware_kms)$/,
    "a vendor's kernel: not in this kernel under this compatible",
  ],
  [
    /^(aess|dmm|kim|ohci-omap3|omap-hdmi-audio(-dai)?|omap-pcm-audio|omap4plus_scm|omapdrm_pvr|omapdss(_\w+)?|twl6040-codec)$/,
    "an old vendor's kernel with board files: today's finds these devices by device tree",
  ],
];

/** The option that builds a driver; undefined for drivers that are modules, or unknown. */
export function builtBy(subsystem: string, driver: string): string | undefined {
  return OPTIONS[`${subsystem} ${driver}`] ?? (Object.hasOwn(OPTIONS, driver) ? OPTIONS[driver] : undefined);
}

/** Why a driver's device finds no module by its modalias although there may be one; undefined when nothing is known. */
export function otherwise(driver: string): string | undefined {
  return REASONS.find(([drivers]) => drivers.test(driver))?.[1];
}
