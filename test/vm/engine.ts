/** An engine without a network: its containers need none, and the machine's kernel has no tables for it. */
export const startEngine = `
  mkdir -p /etc/docker
  echo '{"bridge":"none","iptables":false,"ip6tables":false}' >/etc/docker/daemon.json
  systemctl enable --now docker.service 2>&1`;

/** Makes an image "busybox" from Debian's package, since no image registry is in reach. */
export const busyboxImage = `
  directory=$(mktemp -d)
  mkdir "$directory/bin" "$directory/tmp"
  cp /bin/busybox "$directory/bin"
  for name in sh cat dd echo sleep true; do ln -s busybox "$directory/bin/$name"; done
  tar --create --directory "$directory" . | docker import --change 'ENV PATH=/bin' - busybox`;
