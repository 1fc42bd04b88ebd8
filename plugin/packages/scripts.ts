const UNITS = 'docker-volume-scaleio.socket docker-volume-scaleio.service';

/** After the files are there. A service that runs takes up the new program; containers keep their volumes meanwhile. */
export const AFTER_INSTALLING = `if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart docker-volume-scaleio.service
fi
if ! systemctl is-enabled --quiet docker-volume-scaleio.service 2>/dev/null; then
  echo 'docker-volume-scaleio: fill in /etc/scaleio/docker-volume-scaleio.env, then'
  echo '  systemctl enable --now ${UNITS}'
  echo '  docker-volume-scaleio doctor'
fi
`;

/**
 * Before the last of the program goes: what is mounted would stay mounted with nobody to unmount it, and engines could not stop its
 * containers in order.
 */
export const BEFORE_REMOVING = `used=$(awk '$2 ~ "^/var/lib/docker-volume-scaleio/mounts/." { print $2 }' /proc/self/mounts)
if [ -n "$used" ]; then
  echo 'docker-volume-scaleio: containers use volumes here; stop them first, or move them to other hosts:' >&2
  echo "$used" >&2
  exit 1
fi
if [ -d /run/systemd/system ]; then
  systemctl disable --now ${UNITS}
fi
`;

/** After the files are gone. */
export const AFTER_REMOVING = `if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
rm -rf /var/cache/docker-volume-scaleio
`;
