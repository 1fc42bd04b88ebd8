import { describeUsers } from '../volumes/device-users.ts';
import { formatDuration } from '../units/duration.ts';
import { formatSize } from '../units/size.ts';
import type { DroppedRestore, FenceRecord } from '../volumes/ports.ts';
import type { ShownFacts, SnapshotFacts } from './volume-facts.ts';

const BYTES_PER_GIB = 1024 ** 3;
/** The array keeps no such time, and the host that has the volume does. */
const UNKNOWN_SINCE = 'not known on this host';

/** One volume and its holders, a fact a line. */
export function textForVolume(facts: ShownFacts): string {
  const { name, arrayName, id, failover, holders, recentIo, mappedToAllSdcs, usersHere, droppedRestore } =
    facts;
  const lines = [
    ['volume', name],
    ['on the array', `${arrayName ?? ''} (${id})`],
    ['size', formatSize(facts.sizeKiB)],
    ['pool', poolText(facts.pool)],
    ['access', facts.access],
    ['failover', failover],
    ...holders.flatMap(({ described, sdcId, state, since }) => [
      ['held by', `host ${described}, id ${sdcId}, ${state}`],
      ['since', since ?? UNKNOWN_SINCE],
    ]),
    ...(holders.length === 0 ? [['held by', mappedToAllSdcs ? 'all SDCs' : 'nobody']] : []),
    ...(facts.snapshots == null ? [] : [['snapshots', snapshotText(name, facts.snapshots)]]),
    ...(facts.room === undefined ? [] : [['used', roomText(facts.room)]]),
    ...(usersHere === null ? [] : [['used here by', describeUsers(usersHere)]]),
    ...(droppedRestore === null ? [] : [['not restored', droppedText(droppedRestore)]]),
    ['I/O now', `${recentIo} operations in the array's present measuring interval`],
  ];
  return lines.map(([what = '', value = '']) => `${what.padEnd(13)} ${value}\n`).join('');
}

function roomText(room: NonNullable<ShownFacts['room']>): string {
  if ('why' in room) return `not known here: ${room.why}`;
  const { sizeBytes, usedBytes, availableBytes } = room;
  const gib = (bytes: number): string => `${Number((bytes / BYTES_PER_GIB).toFixed(2))}GiB`;
  return `${gib(usedBytes)} of ${gib(sizeBytes)}, ${gib(availableBytes)} free`;
}

function poolText({ id, name, domain }: ShownFacts['pool']): string {
  return name === null ? id : `${domain === null ? '' : `${domain}/`}${name} (${id})`;
}

function snapshotText(name: string, { count, newest }: SnapshotFacts): string {
  if (newest === null) return 'none';
  return `${count}, the newest "${name}@${newest.name}" of ${newest.takenAt ?? 'a time that the array does not say'}`;
}

/** What there is for a person to decide. */
function droppedText({ at, volume, snapshot, keptAs, why }: DroppedRestore): string {
  return (
    `a restore to "${volume}@${snapshot}" was cut short on ${at} and is not repeated, because ${why}: look whether the volume holds what it ` +
    `should, and restore it again if not; "${volume}@${keptAs}" has what there was before`
  );
}

/** The last fence that this host knows of. */
export function textForFence(fence: FenceRecord | null): string {
  if (fence === null) return 'last fence    none by this host\n';
  const { at, policy, holderState, recentIo, durationMs } = fence;
  const activity = recentIo === null ? '' : `, ${recentIo} I/O operations lately`;
  return `last fence    ${at} ${movementOf(fence)}, policy ${policy}, holder ${holderState}${activity}, ${formatDuration(durationMs)}\n`;
}

/** What a fence did, from whom and for whom. */
export function movementOf({ outcome, fromName, byName }: FenceRecord): string {
  return `${outcome}: from host ${fromName} by ${byName}`;
}
