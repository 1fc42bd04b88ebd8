import { CapacityError, GatewayRejectedError } from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { heldBack, type RestoringVolume } from '../host-volume.ts';
import { findByName } from '../life/lookup.ts';
import { markerName } from '../naming.ts';
import type { VolumeHost } from '../volume-host.ts';

/*
 * While the array overwrites a volume no policy may let another host have it, or a container would see old and new mixed. So for that time
 * the volume bears the marker "never". Whoever wants to take a volume asks for that name after he has seen who has it, and only then fences
 * (rule 2); the marker stands before this host has the volume, so there is no order in which it is missed, by older versions neither.
 */

interface ToHold {
  readonly volume: ArrayVolume;
  /** To begin an error with. */
  readonly what: string;
}

/**
 * Has no host take the volume until letOthersTake, whatever its policy. One gateway call; nothing is made where the volume bears such a
 * marker anyway. Rejects with CapacityError where the family is full, and as the array does; without an answer it may still be made.
 */
export async function holdBack(
  { array, clock, journal }: Pick<VolumeHost, 'array' | 'clock' | 'journal'>,
  entry: RestoringVolume,
  { volume, what }: ToHold,
  signal: AbortSignal,
): Promise<void> {
  const now = (): string => new Date(clock.now()).toISOString();
  try {
    const id = await array.snapshotVolume(volume.id, markerName('never', volume.id), signal);
    await journal.put(heldBack(entry, { id }, now()));
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    await journal.put(heldBack(entry, undefined, now()));
    if (cause.refusal === 'name-in-use') return;
    if (cause.refusal !== 'family-full') throw cause;
    throw new CapacityError(
      `${what}: it has as many copies as the array allows, and for a restore two more are made; remove snapshots that are not needed`,
      { cause },
    );
  }
}

/** What letOthersTake may take for granted. */
interface Ending {
  /** The marker was read back by this restore, with its name; it goes without another look. */
  readonly isRead: boolean;
}

/**
 * free: what holdBack made is gone, and the volume follows its policy again. awaited: a request to make it had no answer and may still be
 * carried out; ask again later. Rejects as the array does. Call it once the array cannot be overwriting the volume any more.
 */
export async function letOthersTake(
  host: VolumeHost,
  entry: RestoringVolume,
  signal: AbortSignal,
  { isRead }: Ending = { isRead: false },
): Promise<'free' | 'awaited'> {
  const { array, identity, journal, log, policy } = host;
  const { hold } = entry.restore;
  if (hold === undefined) return 'free';
  const { name: volume, volumeId } = entry;
  // A copy of the whole machine would have the entry, too (rule 13).
  if (entry.earlierBoot === true && identity.doubt !== undefined) {
    log.warn({ volume, volumeId, doubt: identity.doubt }, 'nobody may take it until its policy is set anew');
    return 'free';
  }
  const marker = isRead ? hold.id : await findMarker(array, { volumeId, id: hold.id }, signal);
  const isOver = hold.id !== undefined || journal.ageMs(volume) >= policy.lateMs;
  if (marker === undefined) return isOver ? 'free' : 'awaited';
  await array.removeVolume(marker, signal);
  return 'free';
}

/** What was made, or, where the array has not said its id, what it must have become. One call, two by its name. */
async function findMarker(
  array: VolumeHost['array'],
  { volumeId, id }: { readonly volumeId: VolumeId; readonly id: VolumeId | undefined },
  signal: AbortSignal,
): Promise<VolumeId | undefined> {
  const name = markerName('never', volumeId);
  if (id === undefined) {
    const found = await findByName(array, name, signal);
    return found?.kind === 'snapshot' && found.ancestorId === volumeId ? found.id : undefined;
  }
  return (await array.getVolume(id, signal))?.name === name ? id : undefined;
}
