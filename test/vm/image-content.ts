/** Debian packages of a machine, besides the essential ones. */
export const packages: readonly string[] = [
  'linux-image-cloud-amd64',
  ...['systemd', 'systemd-sysv', 'udev', 'kmod', 'dbus', 'iproute2', 'procps', 'busybox-static'],
  // What docs/configuration.md asks of a host:
  ...['util-linux', 'mount', 'e2fsprogs', 'xfsprogs', 'btrfs-progs', 'attr'],
  // The engine:
  ...['docker.io', 'iptables'],
  // Who else wants devices:
  ...['dmsetup', 'multipath-tools'],
];

/** Units that take time at boot and do nothing for a test. */
export const linkedAway: readonly string[] = [
  'getty@.service',
  'serial-getty@.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
  'systemd-tmpfiles-clean.timer',
  'systemd-logind.service',
  'systemd-user-sessions.service',
  'systemd-update-utmp.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-binfmt.service',
  'proc-sys-fs-binfmt_misc.automount',
  'systemd-pstore.service',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'sys-fs-fuse-connections.mount',
  'systemd-modules-load.service',
  'modprobe@.service',
  'kmod-static-nodes.service',
  'systemd-sysusers.service',
];

/** Runs what the test brought along (payload.ts) and does what it is told through the machine's port. */
export const agentUnit = `[Unit]
Description=Does what a test asks for
After=dev-virtio\\x2dports-agent.device dev-disk-by\\x2did-virtio\\x2dpayload.device
Wants=dev-virtio\\x2dports-agent.device dev-disk-by\\x2did-virtio\\x2dpayload.device
[Service]
ExecStartPre=/bin/mkdir -p /run/payload
ExecStartPre=/bin/tar x -C /run/payload -f /dev/disk/by-id/virtio-payload
ExecStart=/usr/local/bin/node /run/payload/agent.cjs /dev/virtio-ports/agent
Environment=HOME=/root
[Install]
WantedBy=multi-user.target
`;

/** As small as it can be: Debian's own takes seconds of a boot that is emulated. */
export const initramfsInit = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/list
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 500 ]; do /bin/busybox usleep 20000; tries=$((tries+1)); done
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox mount --move /dev /new/dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /new /sbin/init
`;
