import { GatewayRejectedError, AttachError, VolumeInUseError } from '../../errors.ts';
import { readAgain } from './holders.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { ownPolicyOf } from '../options/label.ts';
import { Takeover, type Claim } from './takeover.ts';
import type { ArrayVolume } from '../../array/volume.ts';

/**
 * Maps the volume to this host's SDC alone (rule 1), taking it from another one where the failover policy allows that
 * (rule 2); or beside others when the array itself limits it to reading. Mapped here already is success. Rejects with
 * VolumeInUseError that names the holder.
 */
export async function claimVolume(
  host: VolumeHost,
  wanted: { readonly volume: ArrayVolume; readonly name: string },
  me: HostIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { volume, name } = wanted;
  const firstHolders = new Set(volume.attachments.map(({ hostId }) => hostId));
  const claim: Claim = { name, me, firstHolders, remembered: rememberedPolicy(host, volume, name) };
  const winner = await tryToClaim(host, volume, claim, signal);
  if (winner === undefined) return;
  // Somebody was quicker: once more, which ends with the volume or with the error that names who has it.
  const again = await tryToClaim(host, await readAgain(host.array, volume, signal), claim, signal);
  if (again !== undefined) {
    throw new VolumeInUseError(
      `volume "${name}" was mapped by other hosts twice while this one tried: stop what uses it there, or try again`,
      { cause: again, context: { volumeId: volume.id } },
    );
  }
}

function rememberedPolicy(host: VolumeHost, { id }: ArrayVolume, name: string): Claim['remembered'] {
  const known = host.journal.known(name);
  return known?.volumeId === id ? ownPolicyOf(known) : undefined;
}

/** The array's refusal when another host was quicker, undefined when the volume is attached here. */
async function tryToClaim(
  host: VolumeHost,
  volume: ArrayVolume,
  claim: Claim,
  signal: AbortSignal,
): Promise<GatewayRejectedError | undefined> {
  const { me } = claim;
  if (volume.attachedToAll) throw mappedToAll(volume, claim);
  const readOnly = volume.accessModeLimit === 'ReadOnly';
  const free = readOnly ? volume : await new Takeover(host).free(volume, claim, signal);
  if (free.attachments.some(({ hostId }) => hostId === me.hostId)) return undefined;
  try {
    await host.array.attachVolume({ volumeId: volume.id, hostId: me.hostId, readOnly }, signal);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    if (cause.refusal === 'held-by-another') return cause;
    if (cause.refusal === 'host-unknown') throw unknownHere(host, claim, cause);
    throw cause;
  }
}

function unknownHere(host: VolumeHost, { name, me }: Claim, cause: unknown): AttachError {
  host.identity.forget();
  return new AttachError(
    `mapping volume "${name}" failed: the array no longer knows this host's SDC "${me.guid}"`,
    { remedy: 'register it again', problem: 'not-known', cause },
  );
}

function mappedToAll(volume: ArrayVolume, { name }: Claim): VolumeInUseError {
  return new VolumeInUseError(
    `volume "${name}" is mapped to all SDCs, so no host can own it: unmap it from all at the array first`,
    { context: { volumeId: volume.id } },
  );
}
