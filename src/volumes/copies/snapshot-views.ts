import { GatewayRejectedError, GatewayUnavailableError, VolumeNotFoundError } from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { answered } from '../host-volume.ts';
import { mayStillHappen } from '../life/late-requests.ts';
import { findByName, type VolumeLookup } from '../life/lookup.ts';
import { makeCopy } from '../life/make-copy.ts';
import { clearProvisional, reserveProvisional } from '../life/provisional.ts';
import type { Making } from '../life/volume-in-making.ts';
import { validateVolumeName } from '../naming.ts';
import { BUILT_IN_DEFAULTS } from '../options/option-table.ts';
import { readAgain } from '../takeover/holders.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { pickSnapshot, snapshotsAmong, type VolumeSnapshot } from './family-snapshots.ts';
import { splitSnapshot } from './snapshot-names.ts';
import { isViewOf, viewName } from './view-names.ts';

interface FoundSnapshot extends VolumeSnapshot {
  readonly ofId: VolumeId;
  /** What is looked into instead of it, where there is that already. */
  readonly view: ArrayVolume | undefined;
}

/**
 * Snapshots as something to be mounted, under VOLUME@SNAPSHOT where no volume is called so. What a host mounts is a copy (a view): a file
 * system that was in use has a log to replay, and a snapshot shall stay as it was. The first host makes it as a Create makes a copy, so that
 * it has no name until its log is replayed; then the array limits it to reading, and all hosts share it. Where an array has no such limit
 * (2.x) one host at a time has it.
 */
export class SnapshotViews {
  readonly #host: VolumeHost;
  readonly #lookup: Pick<VolumeLookup, 'find'>;

  constructor(host: VolumeHost, lookup: Pick<VolumeLookup, 'find'>) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /** The snapshot of this name, undefined where there is none. No call for a name without '@'; else two, three for an unknown volume. */
  async find(name: VolumeName, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    return (await this.#find(name, signal))?.volume;
  }

  /**
   * What is to be mounted instead of the snapshot of this name; undefined where there is none. Call with the name's lock held. Eight calls
   * more where it has to be made.
   */
  async open(name: VolumeName, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    const found = await this.#find(name, signal);
    return found === undefined ? undefined : (found.view ?? this.#make(name, found, signal));
  }

  async #find(name: VolumeName, signal: AbortSignal): Promise<FoundSnapshot | undefined> {
    const parts = splitSnapshot(name);
    if (parts === undefined) return undefined;
    const { snapshot } = parts;
    const { array, policy } = this.#host;
    const origin = await this.#lookup.find(validateVolumeName(parts.volume), signal);
    if (origin === undefined) return undefined;
    const family = await array.volumesOfFamily(origin, signal);
    try {
      const found = pickSnapshot(snapshotsAmong(family, origin), { name: parts.volume, snapshot });
      const view = family.find(
        (member) => member.ancestorId === found.volume.id && isViewOf(policy.prefix, member),
      );
      return { ...found, ofId: origin.id, view };
    } catch (cause) {
      if (cause instanceof VolumeNotFoundError) return undefined;
      throw cause;
    }
  }

  async #make(name: VolumeName, snapshot: FoundSnapshot, signal: AbortSignal): Promise<ArrayVolume> {
    const { array, filesystems, identity, journal, policy } = this.#host;
    const me = await identity.current(signal);
    const entry = await reserveProvisional(this.#host, name, me);
    const arrayName = viewName(policy.prefix, snapshot.volume.id);
    // What it inherits is for its mount; nobody takes it from a host that is there, and it never grows.
    const asked = { from: name, readOnly: true, failover: 'default' } as const;
    const explicit = new Set(['from', 'readOnly', 'failover'] as const);
    const ofClass = new Set<never>();
    const making: Making = {
      name,
      me,
      entry,
      options: { ...BUILT_IN_DEFAULTS, ...asked, explicit, ofClass },
    };
    const { sizeKiB } = snapshot.volume;
    try {
      const made = await makeCopy(this.#host, making, { origin: snapshot, sizeKiB }, signal);
      const { capabilities } = await array.identity(signal);
      if (capabilities.readOnlyLimit) await array.limitToReadOnly(made.id, signal);
      await array.renameVolume(made.id, arrayName, signal);
      await journal.delete(name);
      filesystems.spareMountpoint(entry.mountpoint);
      return await readAgain(array, { ...snapshot.volume, id: made.id, name: arrayName }, signal);
    } catch (cause) {
      await clearProvisional(this.#host, mayStillHappen(cause) ? entry : answered(entry));
      if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'name-in-use') throw cause;
      // Another host was quicker.
      const theirs = await findByName(array, arrayName, signal);
      if (theirs !== undefined && isViewOf(policy.prefix, theirs)) return theirs;
      throw new GatewayUnavailableError(
        `looking into snapshot "${name}" failed: another host did so and let go of it at the same time; try again`,
        { cause },
      );
    }
  }
}
