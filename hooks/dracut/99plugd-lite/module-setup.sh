#!/bin/bash
# dracut: plugd-lite loads the modules of each initramfs: all that are needed at its start, and what modprobe is asked for later. udevd
# stays, for links, for LVM's and LUKS's rules and for late devices.
#     cp -r 99plugd-lite /usr/lib/dracut/modules.d/     and to undo it, remove it there; then dracut -f
PATH=$PATH:/usr/local/sbin:/usr/local/bin
check() { command -v plugd-lite > /dev/null; }
depends() { :; }
install() {
    local program
    program=$(readlink -f "$(command -v plugd-lite)")
    inst_simple "$program" /usr/sbin/plugd-lite
    [[ ! -x ${program%/*}/plugd-request ]] || inst "${program%/*}/plugd-request" /usr/sbin/plugd-request
    # Whichever modprobe another module of dracut put there.
    mkdir -p "$initdir/sbin"
    ln -sf /usr/sbin/plugd-lite "$initdir/sbin/modprobe"
    inst_hook pre-udev 50 "$moddir/start.sh"
}
