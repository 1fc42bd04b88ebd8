import path from 'node:path';
import { FilesystemError, UnseenMountError } from '../errors.ts';
import type { Device } from '../attach/attacher.ts';
import { isGuard, type MountRoot } from './mount-root.ts';
import { isAtOrBelow, type Mount, visibleMount } from './mountinfo.ts';

export interface Views {
  /** What this process sees. */
  readonly own: readonly Mount[];
  /** What the host sees, from outside of a managed plugin's own namespace. */
  readonly host: readonly Mount[];
}

/**
 * Rejects unless somebody on the host who walks to the mountpoint arrives in this device (rule 9). The host has our
 * mount root under another path (…/plugins/<id>/propagated-mount/…), but as the very same tmpfs, so it is found by
 * that tmpfs's number and the rest of the path is exact. When the engine has cut the propagation, which it does when it
 * stops under live-restore with no container running [moby manager_linux.go Shutdown], or clears up after the plugin's last life when
 * the next one has begun, the host has it nowhere. Throws UnseenMountError.
 */
export function assertHostSees(
  root: MountRoot,
  views: Views,
  at: { device: Device; mountpoint: string },
): void {
  const own = visibleMount(views.own, at.mountpoint);
  if (own?.mountpoint !== at.mountpoint || own.device !== at.device.number) {
    throw new FilesystemError(`"${at.mountpoint}" is not a mount of "${at.device.path}"; mount it again`);
  }
  const guard = root.guardAmong(views.own);
  const inside = path.relative(root.path, at.mountpoint);
  const guards = views.host.filter((mount) => isGuard(mount) && mount.device === guard?.device);
  if (guards.some((mount) => arrivesIn(views.host, path.join(mount.mountpoint, inside), own))) return;
  throw new UnseenMountError(
    `the host does not see "${at.mountpoint}": this plugin's mounts no longer reach it`,
    {
      remedy: 'run "docker plugin disable -f" and then "docker plugin enable"',
      context: { mountpoint: at.mountpoint, device: at.device.number },
      isCutOff: guards.length === 0 && isManaged(root, views.own),
    },
  );
}

/** Whether this is a plugin that an engine runs: its root of mounts lies in what the engine calls its propagated mount. */
function isManaged({ path: root }: MountRoot, own: readonly Mount[]): boolean {
  return own.some(
    (mount) =>
      isAtOrBelow(root, mount.mountpoint) && /\/plugins\/[0-9a-f]{64}\/propagated-mount$/.test(mount.root),
  );
}

function arrivesIn(host: readonly Mount[], hostPath: string, own: Mount): boolean {
  const arrived = visibleMount(host, hostPath);
  return arrived?.mountpoint === hostPath && arrived.device === own.device && arrived.root === own.root;
}
