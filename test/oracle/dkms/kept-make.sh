#!/bin/bash
# Stands in for make in a test's root: keeps what a build in a DKMS tree printed and wrote, and does it again without a compiler when the
# command but for its -j, the compilers asked for, and every file in the build directory are the same. Kept in /var/cache/kept-make.
kept=/var/cache/kept-make
case "$PWD:${MAKELEVEL:-0}: $* " in
  /var/lib/dkms/*:0:*' KERNELRELEASE='*) ;;
  *) exec /usr/lib/kept-make/make "$@" ;;
esac
key=$(
  {
    printf '%s\n' "$PWD" "${@/#-j[0-9]*/-j}" "CC=${CC-}" "LD=${LD-}" "ARCH=${ARCH-}" "CROSS_COMPILE=${CROSS_COMPILE-}" "KCFLAGS=${KCFLAGS-}"
    find . -type f ! -name make.log -print0 | sort -z | xargs -0r sha256sum
  } | sha256sum | cut -d ' ' -f 1
)
if [ ! -f "$kept/$key/status" ]; then
  half=$(mktemp -d "$kept/half.XXXXXX")
  /usr/lib/kept-make/make "$@" >"$half/output" 2>&1
  status=$?
  tar -cf "$half/files.tar" --exclude make.log .
  echo $status >"$half/status"
  # Somebody else may have been faster.
  mv -T "$half" "$kept/$key" 2>/dev/null || rm -rf "$half"
fi
cat "$kept/$key/output"
tar -xf "$kept/$key/files.tar"
exit "$(cat "$kept/$key/status")"
