import { GatewayRejectedError, VolumeInUseError } from '../errors.ts';
import { describeHolder, mappingsOfOthers } from './claim.ts';
import { removeMarkers } from './failover-marker.ts';
import type { VolumeHost } from './host.ts';
import type { VolumeLookup } from './lookup.ts';
import { arrayNameFor } from './naming.ts';
import { removeUnfinishedCreate } from './provisional.ts';
import { releaseVolume } from './release.ts';
import type { ArrayVolume, VolumeName } from './volume.ts';

/** The MDM's number for "Volume is mapped" [siolib]. */
const VOLUME_MAPPED = 104;

/** Removes a volume and its data from the array. Gone already is success; in use anywhere is refused. */
export class RemoveVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /** Call with the volume's lock held. Rejects with VolumeInUseError that says by whom. */
  async remove(name: VolumeName, signal: AbortSignal): Promise<void> {
    const { array, journal } = this.#host;
    await removeUnfinishedCreate(this.#host, name, signal);
    const volume = await this.#lookup.find(name, signal);
    if (volume === undefined) return;
    const known = journal.known(name);
    await this.#letGo(name, volume, signal);
    if (known?.label !== undefined && known.label.failover !== 'default') {
      await removeMarkers(this.#host, volume, signal);
    }
    try {
      await array.removeVolume(volume.id, signal);
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError) || cause.arrayCode !== VOLUME_MAPPED) throw cause;
      throw new VolumeInUseError(
        `removing volume "${name}" failed: another host mapped it just now; try again`,
        {
          cause,
        },
      );
    }
    journal.forget(name);
  }

  async #letGo(name: VolumeName, volume: ArrayVolume, signal: AbortSignal): Promise<void> {
    const entry = this.#host.journal.get(name);
    if (volume.mappings.length === 0 && !volume.mappedToAllSdcs && entry === undefined) return;
    const me = await this.#host.identity.current(signal);
    const others = mappingsOfOthers(volume, me).map(describeHolder);
    if (volume.mappedToAllSdcs) others.push('every host');
    if (others.length > 0) {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: it is mapped to SDC ${others.join(', ')}; stop what uses it there first`,
        { context: { volumeId: volume.id } },
      );
    }
    const { filesystems, clock, policy } = this.#host;
    // The kernel decides, not the recorded holders: an engine that crashed never takes its IDs back (rule 6).
    const outcome = await releaseVolume(
      this.#host,
      entry ?? {
        name,
        arrayName: volume.name ?? '',
        volumeId: volume.id,
        systemId: me.systemId,
        phase: 'releasing',
        holders: [],
        mountpoint: filesystems.mountpointOf(arrayNameFor(policy.prefix, name)),
        since: new Date(clock.now()).toISOString(),
      },
      signal,
    );
    if (outcome === 'held') {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: a container or process on this host still uses it; stop that first`,
        { context: { volumeId: volume.id } },
      );
    }
  }
}
