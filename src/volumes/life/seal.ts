import type { ArrayVolume } from '../../array/volume.ts';
import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import type { VolumeLookup } from './lookup.ts';
import type { MountVolume } from './mount.ts';
import { mountedMeanwhile } from './mounted-meanwhile.ts';
import { assertUnattached } from './rename.ts';

/**
 * Limits a volume that nobody has to reading, at the array and for good: from then on many hosts may have it at once. It is mounted here for a
 * moment before, because a journal that is to be replayed could not be later. False: it was limited so already. Call with the volume's lock
 * held. Rejects with VolumeInUseError that says who has it, also when somebody took it in that moment: it can be written then, as before.
 */
export async function sealVolume(
  host: VolumeHost,
  {
    lookup,
    mount,
    name,
  }: { readonly lookup: VolumeLookup; readonly mount: MountVolume; readonly name: VolumeName },
  signal: AbortSignal,
): Promise<boolean> {
  const { array } = host;
  const attempt = `sealing volume ${quote(name)} failed`;
  const { capabilities, version } = await array.identity(signal);
  if (!capabilities.readOnlyLimit)
    throw new InvalidRequestError(
      `${attempt}: array version ${version} cannot limit a volume to reading, 3.0 can; mount it read-only instead`,
    );
  const before = await find(lookup, name, attempt, signal);
  if (before.accessModeLimit === 'ReadOnly') return false;
  assertUnattached(before, attempt);
  await mountedMeanwhile(host, { mount, name }, () => Promise.resolve(), signal);
  const clean = await find(lookup, name, attempt, signal);
  assertUnattached(clean, attempt);
  await array.limitToReadOnly(clean.id, signal);
  const now = await find(lookup, name, attempt, signal);
  if (now.attachments.length > 0 || now.attachedToAll) {
    // Who mounted it for writing in that moment must be able to write.
    await array.allowWriting(now.id, signal);
    assertUnattached(now, attempt);
  }
  lookup.remember(name, now);
  return true;
}

async function find(
  lookup: VolumeLookup,
  name: VolumeName,
  attempt: string,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const volume = await lookup.find(name, signal);
  if (volume === undefined) throw new VolumeNotFoundError(`${attempt}: there is no such volume`);
  return volume;
}
