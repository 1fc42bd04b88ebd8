/** Debian packages of a machine, besides the essential ones. */
export const packages: readonly string[] = [
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

/** Mounts what the test brought along (payload.ts) and does what it is told through the machine's first serial line. */
export const agentUnit = `[Unit]
Description=Does what a test asks for
[Service]
ExecStartPre=/bin/mkdir -p /run/payload
ExecStartPre=/bin/mount -t hostfs -o /machine/payload payload /run/payload
ExecStartPre=/bin/stty -F /dev/ttyS0 raw -echo
ExecStart=/usr/local/bin/node /run/payload/agent.cjs /dev/ttyS0
Environment=HOME=/root
[Install]
WantedBy=multi-user.target
`;
