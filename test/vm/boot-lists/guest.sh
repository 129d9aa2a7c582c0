#!/bin/sh
# Runs systemd-modules-load and plugd on each set below /sets, one after the other, from the same state; then times them on the two lists
# below /timed. A line for each run: SET TOOL STATUS SECONDS MODULES...
now() { read -r up _ < /proc/uptime; echo "$up"; }
loaded() { cut -d' ' -f1 /proc/modules | sort; }
clear_lists() {
    for place in /etc /run /usr/lib /usr/local/lib; do rm -rf "$place/modules-load.d" "$place/modprobe.d"; done
    rm -f /etc/modules
}
# Modules that others use go in a later round.
unload() {
    for _ in 1 2 3 4 5 6; do
        for module in $(loaded | grep -vxFf /tmp/before); do rmmod "$module" 2>/dev/null; done
    done
}
tool() {
    case $1 in
        systemd) SYSTEMD_LOG_TARGET=console SYSTEMD_PROC_CMDLINE=$(cat /proc/cmdline) /usr/lib/systemd/systemd-modules-load ;;
        plugd) plugd load --boot-lists=kernel-command-line,modules-load.d ;;
    esac > /tmp/said 2>&1
}
run() {
    loaded > /tmp/before
    begin=$(now)
    tool "$2"
    status=$?
    end=$(now)
    seconds=$(echo "$begin $end" | awk '{ printf "%.2f", $2 - $1 }')
    echo "$1 $2 $status $seconds" $(loaded | grep -vxFf /tmp/before)
    unload
}
put() {
    clear_lists
    cp -a "$1/files/." /
    umount /proc/cmdline 2>/dev/null
    mount --bind "$1/cmdline" /proc/cmdline
    # A module tree of the set's own.
    [ ! -d "$1/tree" ] || mount --bind "$1/tree" "/usr/lib/modules/$(uname -r)"
}
for set in /sets/*; do
    [ -d "$set" ] || continue
    put "$set"
    for each in systemd plugd; do run "${set##*/}" "$each"; done
done
for set in /timed/*; do
    [ -d "$set" ] || continue
    put "$set"
    for each in systemd plugd systemd plugd systemd plugd; do run "${set##*/}" "$each"; done
done
