import type { ConfigSet } from './modprobe.ts';

/** Configuration made to hurt: all of it is about modules that both trees have. */
export const NASTY: ConfigSet = {
  'a/10-options.conf': `
# options by name, by alias, for builtin modules, twice, empty, and for names with dashes
options e1000e debug=1
options e1000e \\
	IntMode=2 \\
	debug=16
options usb-storage quirks=1234:5678:u,abcd:ef01:i  delay_use=3
options usb_storage option_zero_cd=1
options crypto-crc32c by=alias
options crc32c_generic by=name
options mii  x="a b c"	y='d'
options usbcore autosuspend=-1
options ext4 nothing=0
options loop  
options loop max_loop=8
options hidden-module seen=1
options plugd-alias-of-mii via_alias=1
options pci:v00008086d000010D3sv*sd*bc*sc*i* never=1
`,
  'a/20-softdeps.conf': `
# loops in every direction, wildcards, names that are aliases, builtin, unknown, hidden or dependencies
softdep e1000e pre: igb post: ixgbe
softdep igb pre: e1000e
softdep ixgbe post: igb pre: e1000e mii
softdep mii pre: mii post: mii
softdep usb-storage pre: scsi_mod uas post: uas
softdep uas pre: usb-storage
softdep usb[a-n]* pre: mii
softdep xfs pre: crypto-crc32c crypto-sha256 no-such-module usbcore
softdep jbd2 pre: mii post: loop
softdep fat pre: vfat
softdep vfat post: msdos
softdep nf-tables pre: symbol:nf_register_net_hook net-pf-16-proto-12
softdep nf_conntrack pre: fs-ext4 post: e1000e
softdep *_generic pre: libcrc32c
softdep dm-mod pre: dm-log dm-mirror post: dm-snapshot
softdep dm_log post: dm-mod
softdep loop  pre: mii
softdep tun x y z
softdep bonding pre: plugd-alias-of-mii plugd-two-of-them
`,
  'a/30-commands.conf': `
install floppy /bin/true
install loop /sbin/modprobe --ignore-install loop $CMDLINE_OPTS; echo "$CMDLINE_OPTS" \\$HOME
install dm-* echo dm $CMDLINE_OPTS
install dm_mod echo too late
install plugd-only-a-command echo here
install sunrpc	 /bin/false  
install v?at echo vfat
install e1000e echo ignored for its softdeps
install nls_[a-c]* echo nls
remove plugd-only-removed echo gone
options floppy floppy=thinkpad
options sunrpc tcp_slot_table_entries=2
options plugd-only-a-command a=1
`,
  'a/40-aliases.conf': `
alias plugd-alias-of-mii mii
alias plugd-two-of-them mii
alias plugd-two-of-them libphy
alias plugd-off off
alias btrfs xfs
alias hidden-* mii
alias plugd[-_]br*t mii
alias plugd-chain plugd-alias-of-mii
alias plugd-is-builtin usbcore
blacklist libphy
blacklist xfs
blacklist usb-storage
`,
  'a/50-masked.conf': '',
  'b/50-masked.conf': 'install mii /bin/false\noptions mii masked=1\n',
  'b/10-options.conf': 'options mii masked=2\n',
  'b/60-bad.conf': 'nonsense\nsoftdep\n  # x\nalias a[b c\noptions mii after=errors\n',
  'b/modules.zz.conf': 'softdep cifs pre: mii\nsoftdep ksmbd pre: mii\nsoftdep nfs pre: mii\n',
};

/** Names that this configuration defines, hides or leads elsewhere, and some modaliases. */
export const NASTY_NAMES = [
  'plugd-alias-of-mii',
  'plugd_alias_of_mii',
  'plugd-two-of-them',
  'plugd-off',
  'plugd-chain',
  'plugd-is-builtin',
  'plugd-br-t',
  'plugd_brt',
  'hidden-module',
  'plugd-only-a-command',
  'plugd-only-removed',
  'nothing-has-this-name',
  'a[b',
  'fs-ext4',
  'fs-xfs',
  'crypto-crc32c',
  'net-pf-16-proto-12',
  'symbol:mii_check_link',
  'symbol:libphy',
  'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
  'usb:v1234p5678d0000dc00dsc00dp00ic08isc06ip50in00',
  'char-major-10-200',
];
