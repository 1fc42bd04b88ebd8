import {
  CapacityError,
  GatewayRejectedError,
  isPluginError,
  VolumeConflictError,
  VolumeNotFoundError,
} from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { FrozenMount } from '../ports.ts';
import type { VolumeName } from '../volume.ts';
import { snapshotsOf } from './family-snapshots.ts';
import { snapshotArrayName, type SnapshotName } from './snapshot-names.ts';

/** How long the array may take to answer while file systems are frozen, ms; and after which they are thawed by others, if need be. */
const ANSWER_MS = 4000;
export const FREEZE_LIMIT_MS = 5000;

export interface SnapshotWish {
  readonly names: readonly VolumeName[];
  /** For all of them; undefined: one made of the time. */
  readonly snapshot: string | undefined;
  readonly expiresAtSeconds: number | null;
  readonly secureForMinutes: number | null;
}

export interface TakenSnapshot {
  readonly volume: string;
  readonly snapshot: string;
  readonly id: VolumeId;
  /**
   * frozen: it holds all that had been written. crash-consistent: it is as after a power cut at that instant, which the file system's journal
   * makes good. idle: no host had the volume.
   */
  readonly consistency: 'frozen' | 'crash-consistent' | 'idle';
}

export interface SnapshotHost {
  readonly array: Pick<StorageArray, 'snapshotVolumes' | 'volumesOfFamily' | 'renameVolume'>;
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
  /** Freezes the volume where this host has it mounted and can; undefined where not. */
  readonly freeze: (
    name: VolumeName,
    volume: ArrayVolume,
    limitMs: number,
    signal: AbortSignal,
  ) => Promise<FrozenMount | undefined>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly log: Log;
}

/**
 * Takes snapshots of several volumes, all of one instant. Those that are mounted on this host are frozen meanwhile, for five seconds at
 * most, whatever the array does. One call, one look-up a volume, and one more each where the snapshot has a name of its own. Rejects with
 * VolumeNotFoundError, VolumeConflictError (there is one of that name), CapacityError, and as the array refuses. Call with the locks held.
 */
export async function takeSnapshots(
  host: SnapshotHost,
  wish: SnapshotWish,
  signal: AbortSignal,
): Promise<readonly TakenSnapshot[]> {
  const { names, expiresAtSeconds } = wish;
  const snapshot = wish.snapshot ?? nameOfTime(host.clock.now());
  const volumes: Source[] = [];
  for (const name of names) {
    const volume = await host.find(name, signal);
    if (volume === undefined)
      throw new VolumeNotFoundError(
        `taking a snapshot of volume "${name}" failed: the array has no such volume`,
      );
    if (wish.snapshot !== undefined) await assertNameIsFree(host, { name, volume, snapshot }, signal);
    volumes.push({ name, volume });
  }
  const frozen = await freezeAll(host, volumes, signal);
  const named = (source: Source): SnapshotName => ({
    isFrozen: frozen.has(source),
    expiresAtSeconds,
    name: snapshot,
  });
  const copies = volumes.map((source) => ({
    volumeId: source.volume.id,
    name: snapshotArrayName(source.volume.id, named(source)),
  }));
  const taken = await take(host, { wish, copies, frozen, snapshot }, signal);
  const all: TakenSnapshot[] = [];
  for (const [index, source] of volumes.entries()) {
    const id = taken.ids[index];
    if (id === undefined) continue;
    if (frozen.has(source) && !taken.still.has(source))
      await rename(host, source, { id, name: named(source) }, signal);
    const consistency = taken.still.has(source)
      ? 'frozen'
      : source.volume.attachments.length === 0 && !source.volume.attachedToAll
        ? 'idle'
        : 'crash-consistent';
    all.push({ volume: source.name, snapshot, id, consistency });
  }
  host.log.info({ snapshots: all, expiresAtSeconds }, 'snapshots taken');
  return all;
}

interface Source {
  readonly name: VolumeName;
  readonly volume: ArrayVolume;
}

type Frozen = ReadonlyMap<Source, FrozenMount>;

/** What cannot be frozen is taken as it is: a snapshot as after a power cut is better than none. */
async function freezeAll(
  host: SnapshotHost,
  sources: readonly Source[],
  signal: AbortSignal,
): Promise<Frozen> {
  const frozen = new Map<Source, FrozenMount>();
  await Promise.all(
    sources.map(async (source) => {
      const { name, volume } = source;
      try {
        const mount = await host.freeze(name, volume, FREEZE_LIMIT_MS, signal);
        if (mount !== undefined) frozen.set(source, mount);
      } catch (cause) {
        if (!isPluginError(cause) || signal.aborted) throw cause;
        host.log.warn({ volume: name, error: cause.message }, 'not frozen; its snapshot is crash-consistent');
      }
    }),
  ).catch(async (cause: unknown) => {
    await Promise.all([...frozen.values()].map((mount) => mount.thaw()));
    throw cause;
  });
  return frozen;
}

interface Taking {
  readonly wish: SnapshotWish;
  readonly copies: Parameters<StorageArray['snapshotVolumes']>[0]['copies'];
  readonly frozen: Frozen;
  readonly snapshot: string;
}

/** `still`: of these the array had answered before the thaw began. */
async function take(
  { array, clock }: SnapshotHost,
  { wish, copies, frozen, snapshot }: Taking,
  signal: AbortSignal,
): Promise<{ readonly ids: readonly VolumeId[]; readonly still: ReadonlySet<Source> }> {
  const { secureForMinutes } = wish;
  const request = {
    copies,
    access: 'ReadOnly' as const,
    ...(secureForMinutes === null ? {} : { secureForMinutes }),
  };
  const answer = array.snapshotVolumes(request, signal).then(
    (ids) => ({ ids }),
    (cause: unknown) => ({ cause }),
  );
  const waiting = new AbortController();
  const late = clock.sleep(ANSWER_MS, AbortSignal.any([waiting.signal, signal])).catch(() => undefined);
  const inTime = await Promise.race([answer, frozen.size === 0 ? answer : late.then(() => undefined)]);
  waiting.abort();
  const still = new Set<Source>();
  await Promise.all(
    [...frozen].map(async ([source, mount]) => {
      const wasStill = await mount.thaw();
      if (wasStill && inTime !== undefined) still.add(source);
    }),
  );
  const outcome = inTime ?? (await answer);
  if ('cause' in outcome) throw refused(outcome.cause, { names: wish.names, snapshot });
  return { ids: outcome.ids, still };
}

/** Its name says frozen and it was not, so it gets the other. Where that fails it is told, for the snapshot itself is there. */
async function rename(
  { array, log }: SnapshotHost,
  { name: volume, volume: { id: volumeId } }: Source,
  { id, name }: { readonly id: VolumeId; readonly name: SnapshotName },
  signal: AbortSignal,
): Promise<void> {
  try {
    await array.renameVolume(id, snapshotArrayName(volumeId, { ...name, isFrozen: false }), signal);
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    log.warn(
      { volume, snapshot: name.name, error: cause.message },
      'snapshot is crash-consistent, and its name on the array says otherwise',
    );
  }
}

async function assertNameIsFree(
  host: SnapshotHost,
  { name, volume, snapshot }: Source & { readonly snapshot: string },
  signal: AbortSignal,
): Promise<void> {
  const taken = await snapshotsOf(host, volume, signal);
  if (taken.every((one) => one.name !== snapshot)) return;
  throw new VolumeConflictError(
    `volume "${name}" has a snapshot "${snapshot}" already; choose another name, or remove that one first`,
    { context: { volumeId: volume.id } },
  );
}

/** The array's refusal in words of volumes and snapshots. */
function refused(
  cause: unknown,
  { names, snapshot }: { readonly names: readonly string[]; readonly snapshot: string },
): unknown {
  if (!(cause instanceof GatewayRejectedError)) return cause;
  const what = `taking snapshot "${snapshot}" of ${names.map((name) => `"${name}"`).join(', ')} failed`;
  if (cause.refusal === 'family-full')
    return new CapacityError(
      `${what}: a volume and its copies have as many members as the array allows; remove snapshots that are not needed`,
      {
        cause,
      },
    );
  if (cause.refusal === 'name-in-use')
    return new VolumeConflictError(`${what}: there is one of that name; choose another`, { cause });
  if (cause.refusal === 'volume-unknown')
    return new VolumeNotFoundError(`${what}: a volume was removed meanwhile; nothing was taken`, { cause });
  return cause;
}

/** "20261128-221503", in UTC. */
function nameOfTime(nowMs: number): string {
  const digits = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return digits.replace('T', '-');
}
