import { RunningPluginError } from '../../errors.ts';
import { asClaimant, type VolumeIn } from '../host-volume.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import type { MountVolume } from './mount.ts';
import { unmountVolume } from './unmount.ts';

/** No front end's claims begin so. */
const OWN_CLAIM = asClaimant('the plugin itself');

/**
 * Has the volume mounted on this host for as long as `act` takes; what has it mounted already keeps it, and a crash leaves what a Mount
 * leaves. Call with the volume's lock held. Rejects as the Mount and `act` do.
 */
export async function mountedMeanwhile<T>(
  host: VolumeHost,
  { mount, name }: { readonly mount: MountVolume; readonly name: VolumeName },
  act: (entry: VolumeIn<'mounted'>) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { entry } = await mount.mount(name, OWN_CLAIM, signal);
  try {
    if (entry.phase !== 'mounted')
      throw new RunningPluginError(`volume "${name}" is not mounted any more; try again`);
    return await act(entry);
  } finally {
    const limit = AbortSignal.timeout(host.policy.cleanupMs);
    await unmountVolume(host, { name, claimant: OWN_CLAIM }, limit);
  }
}
