import { FrozenError } from '../../errors.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { Device } from '../../attach/attacher.ts';

const AGAIN_MS = 100;

/**
 * Waits while a mounted file system is frozen: a back-up freezes it for a moment. Rejects with FrozenError that says how to thaw it when
 * that goes on for longer than the policy's heldWaitMs: a container that gets it would hang at its first write.
 */
export async function awaitThaw(
  { filesystems, clock, policy }: Pick<VolumeHost, 'clock' | 'filesystems' | 'policy'>,
  at: { readonly name: string; readonly device: Device; readonly mountpoint: string },
  signal: AbortSignal,
): Promise<void> {
  const { name, device, mountpoint } = at;
  const began = clock.elapsed();
  while (await filesystems.isFrozen(device, mountpoint, signal)) {
    if (clock.elapsed() - began >= policy.heldWaitMs) {
      throw new FrozenError(
        `mounting volume "${name}" failed: the file system of volume "${name}" is frozen (fsfreeze -f) for longer than ` +
          `${Math.round(policy.heldWaitMs / 1000)} s, and whoever writes to it waits; thaw it with "fsfreeze -u ${mountpoint}"`,
        { context: { mountpoint } },
      );
    }
    await clock.sleep(AGAIN_MS, signal);
  }
}
