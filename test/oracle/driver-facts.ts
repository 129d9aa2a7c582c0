/**
 * Why a driver of a recorded machine needs no module by modalias on Debian's kernel: for drivers that are not modules, the
 * configuration options that build them; for the rest a reason.
 */
import { optionsOf } from '../../agent/explain/replay/kernel-drivers.ts';

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

/** The options that build a driver, without CONFIG_ and with `|` between; undefined for drivers that are modules, or unknown. */
export function builtBy(subsystem: string, driver: string): string | undefined {
  return optionsOf(subsystem, driver)
    ?.options.map((option) => option.slice('CONFIG_'.length))
    .join('|');
}

/** Why a driver's device finds no module by its modalias although there may be one; undefined when nothing is known. */
export function otherwise(driver: string): string | undefined {
  return REASONS.find(([drivers]) => drivers.test(driver))?.[1];
}
