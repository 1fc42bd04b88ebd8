import { VolumeNotFoundError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeLookup } from '../life/lookup.ts';
import { validateVolumeName } from '../naming.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { findSnapshot } from './family-snapshots.ts';
import { splitSnapshot } from './snapshot-names.ts';

/** What a copy is made of. */
export interface CopyOrigin {
  /** The volume or snapshot, as the array has it. */
  readonly volume: ArrayVolume;
  /** The volume whose snapshot it is; of a volume itself. */
  readonly ofId: string;
}

/**
 * The volume of ours that bears exactly this name, else the snapshot that is called so; undefined where there is neither, also where the volume
 * of that snapshot is gone. One look-up for a volume, two and the family's list for what has an '@'.
 */
export async function findOrigin(
  host: Pick<VolumeHost, 'array'>,
  lookup: Pick<VolumeLookup, 'find' | 'remember'>,
  from: string,
  signal: AbortSignal,
): Promise<CopyOrigin | undefined> {
  const exact = await findNamed(lookup, validateVolumeName(from), signal);
  if (exact !== undefined) return { volume: exact, ofId: exact.id };
  const parts = splitSnapshot(from);
  if (parts === undefined) return undefined;
  const name = validateVolumeName(parts.volume);
  const volume = await findNamed(lookup, name, signal);
  if (volume === undefined) return undefined;
  const { snapshot } = parts;
  const found = await findSnapshot(host, { volume, name, snapshot }, signal);
  return { volume: found.volume, ofId: volume.id };
}

async function findNamed(
  lookup: Pick<VolumeLookup, 'find' | 'remember'>,
  name: VolumeName,
  signal: AbortSignal,
): Promise<ArrayVolume | undefined> {
  const volume = await lookup.find(name, signal);
  if (volume !== undefined) lookup.remember(name, volume);
  return volume;
}

/** As findOrigin, but a snapshot that is gone is undefined, too. */
export async function findOriginIfThere(
  ...args: Parameters<typeof findOrigin>
): Promise<CopyOrigin | undefined> {
  try {
    return await findOrigin(...args);
  } catch (cause) {
    if (cause instanceof VolumeNotFoundError) return undefined;
    throw cause;
  }
}
