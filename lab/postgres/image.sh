#!/bin/bash
# Writes the files of a PostgreSQL image to standard output as a tar archive: the server and the checking programs of
# Debian's package as they are on this machine, the libraries they link, and a busybox for the shell.
set -euo pipefail
server=$(echo /usr/lib/postgresql/*/bin)
version=$(basename "$(dirname "$server")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

install -d "$root/bin" "$root/etc" "$root/var/run/postgresql"
install -d -m 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in $(busybox --list); do ln -s busybox "$root/bin/$name" 2>/dev/null || true; done

libraries=/usr/lib/postgresql/$version/lib
programs=$(printf "$server/%s " postgres initdb psql pg_isready pg_amcheck)
# psql is Debian's own, without the wrapper that chooses among versions.
modules=$(printf "$libraries/%s.so " plpgsql amcheck dict_snowball)
# shellcheck disable=SC2086 # several words each
linked=$(ldd $programs $modules | grep -o '/[^ ]*' | grep -v ':$' | sort -u)
# shellcheck disable=SC2086
cp --parents --dereference $programs $modules $linked "$root"
cp --parents --recursive "/usr/share/postgresql/$version" /usr/share/zoneinfo/UTC "$root"

printf 'root:x:0:0::/:/bin/sh\npostgres:x:70:70::/:/bin/sh\n' >"$root/etc/passwd"
printf 'local all all trust\nhost all all all trust\n' >"$root/etc/pg_hba.conf"
printf 'root:x:0:\npostgres:x:70:\n' >"$root/etc/group"
chown 70:70 "$root/var/run/postgresql"
# shellcheck disable=SC2086
ln -s $programs "$root/bin/"
tar --create --directory "$root" .
