#!/bin/bash
# Process 1 of a host: its own root (an overlay over the machine's or another Debian's), its own /proc, /run, /tmp,
# control groups, Docker data and /dev/disk/by-id. Then it waits, reaping what its services leave behind.
# Usage: init.sh NAME HOST_DIR ENGINE_ROOT SHARED_DIR...
set -eu
name=$1 host=$2 engine=$3
shift 3

hostname "$name"
mount --make-rprivate /
root=$host/root
mkdir -p "$host/upper" "$host/work" "$host/docker" "$host/by-id" "$host/engine" "$root"
mount -t overlay overlay -o "lowerdir=$engine,upperdir=$host/upper,workdir=$host/work" "$root"

mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys" # a new one shows this network namespace
mount -t proc proc "$root/proc"
for directory in run tmp; do mount -t tmpfs tmpfs "$root/$directory"; done
mkdir "$root/run/engine"
mount --bind "$host/engine" "$root/run/engine" # where the engine's socket is reached from outside
for shared in "$@"; do
  mkdir -p "$root$shared"
  mount --bind "$shared" "$root$shared"
done
# Names outside of the lab fail at once instead of after a resolver's timeouts.
rm -f "$root/etc/resolv.conf"
echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
mkdir -p "$root/var/lib/docker"
mount --bind "$host/docker" "$root/var/lib/docker"
mount --bind "$host/by-id" "$root/dev/disk/by-id"

# What is mounted here shows the control groups from the machine's top; a host must see its own as the top.
remount_cgroups() {
  local base=$root/sys/fs/cgroup line names directory
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$base"
    mkdir -p "$base/init"
    while read -r line; do echo "$line" >"$base/init/cgroup.procs" || true; done <"$base/cgroup.procs"
    sed -e 's/^/+/' -e 's/ / +/g' "$base/cgroup.controllers" >"$base/cgroup.subtree_control"
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs "$base"
  while IFS=: read -r _ names _; do
    case $names in
      '') directory=unified; mkdir -p "$base/$directory"; mount -t cgroup2 cgroup2 "$base/$directory" ;;
      name=*) directory=${names#name=}; mkdir -p "$base/$directory"
        mount -t cgroup -o "none,$names" cgroup "$base/$directory" ;;
      *) mkdir -p "$base/$names"; mount -t cgroup -o "$names" cgroup "$base/$names" ;;
    esac
  done </proc/self/cgroup
}
remount_cgroups

exec 9>"$host/ready" # still reachable after the root has changed
cd "$root"
mkdir -p .machine
pivot_root . .machine
umount -l /.machine
rmdir /.machine
mount --make-rshared /
mkdir -p /run/lock /run/docker/plugins
echo ready >&9
exec 9>&-

# Nothing more to do but live: bash reaps every orphan that comes to it.
while :; do
  sleep infinity &
  wait $!
done
