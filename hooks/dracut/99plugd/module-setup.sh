#!/bin/bash
# dracut: adds what this machine needs to each initramfs, or what the recorded machines in /etc/plugd/machines/ do, with
# firmware. If plugd fails, the image has what dracut chose.
#     cp -r 99plugd /usr/lib/dracut/modules.d/     and to undo it, remove it there; then dracut -f
# dracut leaves /usr/local out.
PATH=$PATH:/usr/local/sbin:/usr/local/bin
check() { command -v plugd > /dev/null; }
depends() { :; }
installkernel() {
    local names args=()
    [[ -d /etc/plugd/machines ]] && args=(--replay /etc/plugd/machines)
    names=$(plugd closure --kernel "$kernel" --names "${args[@]}" 2> /dev/null) || :
    # Status 1 tells of devices without a driver; the names count all the same.
    # shellcheck disable=SC2086
    [[ -z $names ]] || hostonly='' instmods $names || dwarning "plugd: not all modules were added"
    return 0
}
