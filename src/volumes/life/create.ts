import {
  GatewayRejectedError,
  InvalidRequestError,
  VolumeConflictError,
  VolumeNotFoundError,
} from '../../errors.ts';
import type { SnapshotPolicy } from '../../array/copies.ts';
import type { StoragePool } from '../../array/pool.ts';
import type { SystemIdentity } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { addSource } from '../copies/snapshot-policy.ts';
import { findOrigin, findOriginIfThere } from '../copies/find-origin.ts';
import { answered } from '../host-volume.ts';
import { arrayNameFor } from '../naming.ts';
import { sizeOfCopy } from '../options/clone-options.ts';
import { compareOptions } from '../options/compare-options.ts';
import type { CreateOptions } from '../options/create-options.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { mayStillHappen } from './late-requests.ts';
import type { VolumeLookup } from './lookup.ts';
import { makeCopy } from './make-copy.ts';
import { makeEmpty } from './make-empty.ts';
import { assertBelowFillLimit } from './pool-fill-limit.ts';
import { clearProvisional, removeUnfinishedCreate, reserveProvisional } from './provisional.ts';
import type { MadeVolume, Making } from './volume-in-making.ts';

/**
 * Makes a volume that is complete once its name exists (rule 4): provisional, formatted or copied, and only then renamed. The same
 * name with the same options is success, also when another host won the race for it.
 */
export class CreateVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /** Call with the volume's lock held. Rejects with VolumeConflictError when it exists otherwise than asked. */
  async create(name: VolumeName, options: CreateOptions, signal: AbortSignal): Promise<void> {
    await removeUnfinishedCreate(this.#host, name, signal);
    const existing = await this.#lookup.findToCreate(name, signal);
    if (existing !== undefined) {
      await this.#agree(name, existing, options, signal);
      return;
    }
    const { array, identity } = this.#host;
    if (options.readOnly) await assertReadOnlyLimitKnown(name, array, signal);
    // Unknown it is refused before anything is made.
    const snapshots = await this.#askedPolicy(options, signal);
    const [make, me] = await Promise.all([this.#plan(name, options, signal), identity.current(signal)]);
    const entry = await reserveProvisional(this.#host, name, me);
    try {
      const made = await make({ name, options, me, entry });
      await this.#complete({ name, options, entry, snapshots }, made, signal);
    } catch (cause) {
      await clearProvisional(this.#host, mayStillHappen(cause) ? entry : answered(entry));
      if (!isNameInUse(cause)) {
        this.#spareMountpoint(name);
        throw cause;
      }
      await this.#joinWinner(name, options, signal);
    }
  }

  /** How it is going to be made. Changes nothing; rejects where that cannot be. */
  async #plan(
    name: VolumeName,
    options: CreateOptions,
    signal: AbortSignal,
  ): Promise<(making: Making) => Promise<MadeVolume>> {
    const { array } = this.#host;
    if (options.from === undefined) {
      const pool = await array.findPool(options, signal);
      await assertBelowFillLimit(this.#host, name, pool, signal);
      return (making) => makeEmpty(this.#host, making, pool, signal);
    }
    const origin = await findOrigin(this.#host, this.#lookup, options.from, signal);
    if (origin === undefined)
      throw new VolumeNotFoundError(
        `creating volume "${name}" as a copy of "${options.from}" failed: there is no such volume; only those of this prefix are copied`,
      );
    const { volume } = origin;
    const { capabilities } = await array.identity(signal);
    const askedPool = await this.#askedPool(options, signal);
    const sizeKiB = sizeOfCopy(name, options, { volume, capabilities, askedPool });
    const pool = await array.describePool(volume.poolId, signal);
    if (pool !== undefined) await assertBelowFillLimit(this.#host, name, pool, signal);
    return (making) => makeCopy(this.#host, making, { origin, sizeKiB }, signal);
  }

  /** The name comes last (rule 4). */
  async #complete(
    {
      name,
      options,
      entry,
      snapshots,
    }: Omit<Making, 'me'> & { readonly snapshots: SnapshotPolicy | undefined },
    { id, sizeKiB, poolId, label }: MadeVolume,
    signal: AbortSignal,
  ): Promise<void> {
    const { array, clock, filesystems, journal, policy } = this.#host;
    const { readOnly } = options;
    if (snapshots !== undefined) await addSource(array, { name, id }, snapshots, signal);
    if (readOnly) await array.limitToReadOnly(id, signal);
    const arrayName = arrayNameFor(policy.prefix, name);
    await array.renameVolume(id, arrayName, signal);
    await journal.delete(name);
    filesystems.spareMountpoint(entry.mountpoint);
    const createdAtSeconds = Math.floor(clock.now() / 1000);
    const volume = { name, arrayName, volumeId: id, sizeKiB, createdAtSeconds, poolId, readOnly, label };
    this.#lookup.made(volume);
  }

  #spareMountpoint(name: VolumeName): void {
    const { filesystems, policy } = this.#host;
    filesystems.spareMountpoint(filesystems.mountpointOf(arrayNameFor(policy.prefix, name)));
  }

  async #joinWinner(name: VolumeName, options: CreateOptions, signal: AbortSignal): Promise<void> {
    const winner = await this.#lookup.find(name, signal);
    if (winner === undefined) {
      throw new VolumeConflictError(
        `creating volume "${name}" failed: another host created and removed it at the same time; try again`,
      );
    }
    await this.#agree(name, winner, options, signal);
  }

  async #agree(
    name: VolumeName,
    volume: ArrayVolume,
    options: CreateOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const known = this.#lookup.remember(name, volume);
    const { capabilities } = await this.#host.array.identity(signal);
    const askedPool = await this.#askedPool(options, signal);
    const origin = await this.#noCopyOf(options.from, volume, known.label, signal);
    const askedPolicy = await this.#askedPolicy(options, signal);
    const facts = { volume, label: known.label, capabilities, askedPool, origin, askedPolicy };
    const differences = compareOptions(facts, options);
    if (differences.length === 0) return;
    throw new VolumeConflictError(
      `volume "${name}" exists and differs: ${differences.join('; ')}. Use it as it is, or choose another name`,
      { context: { volumeId: volume.id } },
    );
  }

  /** Why the volume is no copy of what is asked for; undefined when it is, or when that is gone and cannot tell any more. */
  async #noCopyOf(
    from: string | undefined,
    { kind, ancestorId }: ArrayVolume,
    label: VolumeLabel | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (from === undefined) return undefined;
    const asked = `a copy of "${from}" was asked for`;
    if (kind !== 'snapshot' && ancestorId === null) return `it is no copy, ${asked}`;
    const origin = await findOriginIfThere(this.#host, this.#lookup, from, signal);
    const has = label?.originId ?? ancestorId;
    if (origin === undefined || has === null || has === origin.volume.id) return undefined;
    return `it is a copy of another volume or snapshot ("${has}"), ${asked} ("${origin.volume.id}")`;
  }

  async #askedPolicy(
    { snapshotPolicy }: CreateOptions,
    signal: AbortSignal,
  ): Promise<SnapshotPolicy | undefined> {
    if (snapshotPolicy === undefined) return undefined;
    return this.#host.array.findSnapshotPolicy(snapshotPolicy, signal);
  }

  /** Undefined where no pool was asked for in so many words: then it is not looked for. */
  async #askedPool(options: CreateOptions, signal: AbortSignal): Promise<StoragePool | undefined> {
    if (!options.explicit.has('pool') && !options.explicit.has('domain')) return undefined;
    return this.#host.array.findPool(options, signal);
  }
}

function isNameInUse(cause: unknown): boolean {
  return cause instanceof GatewayRejectedError && cause.refusal === 'name-in-use';
}

async function assertReadOnlyLimitKnown(
  name: VolumeName,
  array: SystemIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { version, capabilities } = await array.identity(signal);
  if (capabilities.readOnlyLimit) return;
  throw new InvalidRequestError(
    `creating volume "${name}" with readonly failed: array version ${version} cannot limit a volume to reading, 3.0 can; mount it read-only instead`,
  );
}
