#!/bin/bash
# Writes the files of an image to standard output as a tar archive: programs of Debian's packages as they are on this machine, the libraries
# they link, other files of theirs, and a busybox for the shell. Usage: image.sh PROGRAM... [-- FILE...]
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

install -d "$root/bin" "$root/etc"
install -d -m 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in $(busybox --list); do ln -s busybox "$root/bin/$name" 2>/dev/null || true; done

while [ $# -gt 0 ] && [ "$1" != -- ]; do
  program=$(command -v "$1")
  cp --parents --dereference "$program" "$root"
  # A script links nothing.
  { ldd "$program" 2>/dev/null || true; } | sed -n 's|^[^/]*\(/[^ ]*\).*|\1|p' | sort -u |
    xargs --no-run-if-empty cp --parents --dereference --target-directory "$root"
  [ -e "$root/bin/$1" ] || ln -s "$program" "$root/bin/$1"
  shift
done
[ $# -eq 0 ] || shift
[ $# -eq 0 ] || cp --parents --recursive "$@" "$root"

printf 'root:x:0:0::/:/bin/sh\ndatabase:x:70:70::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\ndatabase:x:70:\n' >"$root/etc/group"
tar --create --directory "$root" .
