import { HostNeededError, isPluginError } from '../errors.ts';
import type { HostDoors } from '../steward/api/host-doors.ts';
import type { RoomView } from '../steward/page/detail-data.ts';
import type { RoomOf } from '../steward/page/volume-details.ts';
import { describeHolder } from '../volumes/takeover/holders.ts';

const KIB = 1024;
/** A host that hangs must not keep the rest of what a volume opens to from who looks. */
const LIMIT_MS = 5000;

/** How full a volume is only the host knows that has it mounted: it is asked where its door is open to the steward. */
export function roomOnHost(hosts: Pick<HostDoors, 'askHolder'>): RoomOf {
  return async ({ id, attachments, attachedToAll }, signal) => {
    const [holder] = attachments;
    if (holder === undefined)
      return unknown(attachedToAll ? 'every host may use it' : 'nobody has it attached');
    const host = describeHolder(holder);
    const needed = { why: `only host ${host} knows`, remedy: 'use docker-volume-scaleio volume show there' };
    try {
      const room = await hosts.askHolder(
        holder,
        { action: 'lookAtRoom', wanted: { volumeId: id } },
        { needed, signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) },
      );
      if (room === null)
        return unknown(`host ${host} has it not mounted, or its file system does not answer`);
      const { sizeBytes, usedBytes, availableBytes } = room;
      return {
        kind: 'known',
        sizeKiB: sizeBytes / KIB,
        usedKiB: usedBytes / KIB,
        availableKiB: availableBytes / KIB,
      };
    } catch (error) {
      if (error instanceof HostNeededError) return unknown(error.reason);
      if (isPluginError(error)) return unknown(`host ${host} does not say: ${error.message}`);
      throw error;
    }
  };
}

function unknown(why: string): RoomView {
  return { kind: 'unknown', why };
}
