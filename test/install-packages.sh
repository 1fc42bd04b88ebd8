#!/bin/sh
# Installs the Debian packages of a list that are missing, quietly. The services that they bring are started neither now nor at
# the next boot: tests and demo run engines and a Prometheus of their own and never the machine's. Does nothing, and needs no network, when all are there.
# Usage: install-packages.sh LIST [PACKAGE...]
set -eu
list=$1
shift
missing=
for name in $(sed 's/#.*//' "$list") "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "these Debian packages are missing, and only root can install them:$missing" >&2
  exit 1
fi
echo "installing$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
services() { find /etc/systemd/system -path '*.wants/*.service' -type l -printf '%f\n' 2>/dev/null | sort -u; }
before=$(services)
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086 # one word each
apt-get -qq -o=Dpkg::Use-Pty=0 install --yes --no-install-recommends $missing >/dev/null
for service in $(services); do
  case " $(echo $before) " in
  *" $service "*) ;;
  *) systemctl --quiet disable "$service" 2>/dev/null || echo "$service will start at the next boot" >&2 ;;
  esac
done
