import { describeHolder, readAgain } from './holders.ts';
import { mayStillHappen } from '../life/late-requests.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { FenceLog, FenceRecord } from '../ports.ts';

/** What a fence needs of its host. */
export interface FencingHost {
  readonly array: StorageArray;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  readonly fences: FenceLog;
}

/** A fence that has been decided. */
export interface Fence {
  /** The volume's name. */
  readonly name: string;
  readonly by: string;
  readonly byName: string;
  readonly volume: ArrayVolume;
  /** The one mapping to take away. */
  readonly attachment: Attachment;
  readonly policy: FenceRecord['policy'];
  readonly holderState: FenceRecord['holderState'];
  readonly recentIo: number | undefined;
  /** When the holder was first looked at, by the clock that cannot be set, ms. */
  readonly startedMs: number;
}

/**
 * Takes the volume from exactly the one SDC of the mapping (rule 2), and answers the volume as it is then. One record,
 * whatever comes of it. Two gateway calls. Who attaches the volume next has to see in the answer that nobody holds it: another
 * host may have been quicker, also the one that lost it. Rejects when the array refuses or cannot be asked.
 */
export async function fenceHolder(
  host: FencingHost,
  fence: Fence,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const { volume, attachment } = fence;
  try {
    await host.array.detachVolume(volume.id, attachment.hostId, signal);
  } catch (cause) {
    record(host, fence, mayStillHappen(cause) ? 'unknown' : 'failed');
    throw cause;
  }
  const now = await readBack(host, fence, signal);
  // The array took the unmapping, so a mapping that it shows now is a new one, be it of the host that lost it.
  const others = volume.attachments.filter(({ hostId }) => hostId !== attachment.hostId);
  const before = new Set<string>([fence.by, ...others.map(({ hostId }) => hostId)]);
  const isLate = now.attachments.some(({ hostId }) => !before.has(hostId));
  record(host, fence, isLate ? 'late' : 'taken');
  return now;
}

/** The mapping is gone once the array took the unmapping, so a look that fails does not make it undone. */
async function readBack(host: FencingHost, fence: Fence, signal: AbortSignal): Promise<ArrayVolume> {
  try {
    return await readAgain(host.array, fence.volume, signal);
  } catch (cause) {
    record(host, fence, 'taken');
    throw cause;
  }
}

function record({ fences, clock }: FencingHost, fence: Fence, outcome: FenceRecord['outcome']): void {
  const { name, by, byName, volume, attachment, policy, holderState, recentIo, startedMs } = fence;
  fences.record({
    at: new Date(clock.now()).toISOString(),
    volume: name,
    volumeId: volume.id,
    by,
    byName,
    from: attachment.hostId,
    fromName: describeHolder(attachment),
    policy,
    holderState,
    recentIo: recentIo ?? null,
    durationMs: Math.round(clock.elapsed() - startedMs),
    outcome,
  });
}
