import { GatewayRejectedError, SdcError, VolumeInUseError, VolumeNotFoundError } from '../errors.ts';
import type { HostIdentity, VolumeHost } from './host.ts';
import type { ArrayVolume, Mapping } from './volume.ts';

/** The MDM's numbers for refusals that mean something to us [siolib, os-brick, flocker]. */
const ARRAY_CODE = { sdcNotFound: 80, heldByAnother: 306 } as const;

/** Who holds a volume, as operators look for them: name, address, else id. */
export function describeHolder(mapping: Mapping): string {
  const label = mapping.sdcName ?? mapping.sdcIp ?? mapping.sdcId;
  return mapping.sdcIp !== null && mapping.sdcName !== null ? `${label} (${mapping.sdcIp})` : label;
}

/** The mappings of SDCs other than this host's. */
export function mappingsOfOthers(volume: ArrayVolume, me: HostIdentity): readonly Mapping[] {
  return volume.mappings.filter(({ sdcId }) => sdcId !== me.sdcId);
}

/**
 * Maps the volume to this host's SDC alone (rule 1), or beside others when the array itself limits it to reading.
 * Mapped here already is success. Rejects with VolumeInUseError that names the holder.
 */
export async function claimVolume(
  host: VolumeHost,
  volume: ArrayVolume,
  me: HostIdentity,
  signal: AbortSignal,
): Promise<void> {
  const readOnly = volume.accessModeLimit === 'ReadOnly';
  if (volume.mappedToAllSdcs) throw mappedToAll(volume);
  const others = mappingsOfOthers(volume, me);
  if (others.length > 0 && !readOnly) throw heldByAnother(volume, others);
  if (volume.mappings.some(({ sdcId }) => sdcId === me.sdcId)) return;
  try {
    await host.array.mapVolume({ volumeId: volume.id, sdcId: me.sdcId, readOnly }, signal);
  } catch (cause) {
    throw await explainRefusal(host, volume, me, { cause, signal });
  }
}

async function explainRefusal(
  host: VolumeHost,
  volume: ArrayVolume,
  me: HostIdentity,
  failure: { cause: unknown; signal: AbortSignal },
): Promise<unknown> {
  const { cause, signal } = failure;
  if (!(cause instanceof GatewayRejectedError)) return cause;
  if (cause.arrayCode === ARRAY_CODE.sdcNotFound) {
    host.identity.forget();
    return new SdcError(
      `mapping volume "${volume.name ?? volume.id}" failed: the array no longer knows this host's SDC "${me.guid}"; register it again`,
      { problem: 'not-known', cause },
    );
  }
  if (cause.arrayCode !== ARRAY_CODE.heldByAnother) return cause;
  const now = await host.array.getVolume(volume.id, signal);
  if (now === undefined)
    return new VolumeNotFoundError(`volume "${volume.name ?? volume.id}" was removed meanwhile`);
  return heldByAnother(now, mappingsOfOthers(now, me), cause);
}

function heldByAnother(volume: ArrayVolume, others: readonly Mapping[], cause?: unknown): VolumeInUseError {
  const holders = others.map(describeHolder).join(', ') || 'another SDC';
  return new VolumeInUseError(
    `volume "${volume.name ?? volume.id}" is held by SDC ${holders}: stop what uses it there, or unmap it at the array`,
    { cause, context: { volumeId: volume.id, holder: holders } },
  );
}

function mappedToAll(volume: ArrayVolume): VolumeInUseError {
  return new VolumeInUseError(
    `volume "${volume.name ?? volume.id}" is mapped to all SDCs, so no host can own it: unmap it from all at the array first`,
    { context: { volumeId: volume.id } },
  );
}
