#!/bin/sh
# Unpacks the Debian packages of a list, with the Python packages that they need and this machine has not, into a directory, from
# wherever the machine's own apt takes packages. Installs nothing. Does nothing, and needs no network, when the list is there already.
# Usage: unpack.sh LIST DIRECTORY
set -eu
list=$1 directory=$2
cmp -s "$list" "$directory/packages" && exit 0

draft=$directory.$$
trap 'rm -rf "$draft"' EXIT
mkdir -p "$draft/debs"
apt-get -qq update
wanted=$(sed 's/#.*//' "$list")
# shellcheck disable=SC2086 # one word each
plan=$(apt-get -qq --simulate install --no-install-recommends $wanted)
needed=$(echo "$plan" | sed -n 's/^Inst \(python3-[^ ]*\) .*/\1/p')
if [ -n "$needed" ]; then
  # Root's apt downloads as another user where that one may write.
  chmod 777 "$draft/debs"
  # shellcheck disable=SC2086
  (cd "$draft/debs" && apt-get -qq download $needed)
  for deb in "$draft"/debs/*.deb; do dpkg-deb --extract "$deb" "$draft"; done
fi
rm -r "$draft/debs"
cp "$list" "$draft/packages"
rm -rf "$directory"
mv "$draft" "$directory"
