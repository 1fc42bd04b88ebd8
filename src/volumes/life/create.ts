import {
  GatewayRejectedError,
  GatewayUnavailableError,
  InvalidRequestError,
  VolumeConflictError,
  isPluginError,
} from '../../errors.ts';
import { awaitDevice } from './await-device.ts';
import { compareOptions } from '../options/compare-options.ts';
import type { CreateOptions } from '../options/create-options.ts';
import { letGo, throwReason } from './device-release.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { labelOf, type VolumeLabel } from '../options/label.ts';
import { roundedToGrain } from '../options/option-words.ts';
import type { VolumeLookup } from './lookup.ts';
import { mayStillHappen } from './late-requests.ts';
import { arrayNameFor, markerName, provisionalName } from '../naming.ts';
import { patiently } from './patience.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { StoragePool } from '../../array/pool.ts';
import type { SystemIdentity } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Device, HeldDevice } from '../../attach/attacher.ts';
import { answered, creatingVolume, type HostVolume, type UnfinishedVolume } from '../host-volume.ts';
import { removeProvisional, removeUnfinishedCreate } from './provisional.ts';
import { assertBelowFillLimit } from './pool-fill-limit.ts';
import type { VolumeName } from '../volume.ts';

interface Draft {
  readonly name: VolumeName;
  readonly options: CreateOptions;
  readonly pool: StoragePool;
  readonly me: HostIdentity;
  /** What the array makes of the size that was asked for. */
  readonly sizeKiB: number;
  readonly id: VolumeId;
  readonly mountpoint: string;
}

/**
 * Makes a volume that is complete once its name exists (rule 4): provisional, formatted, and only then renamed. The same
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
    const { array, filesystems, identity, policy } = this.#host;
    if (options.readOnly) await assertReadOnlyLimitKnown(name, array, signal);
    const [pool, me, { capabilities }] = await Promise.all([
      array.findPool(options, signal),
      identity.current(signal),
      array.identity(signal),
    ]);
    await assertBelowFillLimit(this.#host, name, pool, signal);
    const before = this.#host.journal.get(name);
    // It was of another volume of this name, which is gone from the array.
    if (before !== undefined) await filesystems.unmount(before.mountpoint, { lazy: true }, signal);
    const entry = await this.#reserve(name, me);
    try {
      await this.#make(
        entry,
        { name, options, pool, me, sizeKiB: roundedToGrain(options.sizeKiB, capabilities) },
        signal,
      );
    } catch (cause) {
      await this.#clear(mayStillHappen(cause) ? entry : answered(entry));
      if (!isNameInUse(cause)) {
        filesystems.spareMountpoint(filesystems.mountpointOf(arrayNameFor(policy.prefix, name)));
        throw cause;
      }
      await this.#joinWinner(name, options, signal);
    }
  }

  async #reserve(name: VolumeName, me: HostIdentity): Promise<UnfinishedVolume> {
    const { clock, journal, filesystems, policy } = this.#host;
    const provisional = provisionalName(me.guid, policy.prefix, clock.randomHex(8));
    const entry = creatingVolume(name, provisional, {
      systemId: me.systemId,
      mountpoint: filesystems.mountpointOf(provisional),
      since: new Date(clock.now()).toISOString(),
    });
    await journal.put(entry);
    return entry;
  }

  async #make(
    entry: HostVolume,
    request: Omit<Draft, 'id' | 'mountpoint'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { array, journal, policy } = this.#host;
    const { name, options, pool, me, sizeKiB } = request;
    const id = await array.createVolume(
      {
        name: entry.arrayName,
        sizeKiB: options.sizeKiB,
        pool,
        provisioning: options.provisioning,
      },
      signal,
    );
    await this.#assertMade(id, entry, signal);
    const draft: Draft = { ...request, id, mountpoint: entry.mountpoint };
    // Taken while the volume is still blank, so it never holds a block.
    if (options.failover !== 'default')
      await array.snapshotVolume(id, markerName(options.failover, id), signal);
    await array.attachVolume({ volumeId: id, hostId: me.hostId, readOnly: false }, signal);
    const label = await this.#format(draft, signal);
    await array.detachVolume(id, me.hostId, signal);
    if (options.readOnly) await array.limitToReadOnly(id, signal);
    const arrayName = arrayNameFor(policy.prefix, name);
    await array.renameVolume(id, arrayName, signal);
    await journal.delete(name);
    this.#host.filesystems.spareMountpoint(entry.mountpoint);
    this.#lookup.made({
      name,
      arrayName,
      volumeId: id,
      sizeKiB,
      createdAtSeconds: Math.floor(this.#host.clock.now() / 1000),
      poolId: pool.id,
      readOnly: options.readOnly,
      label,
    });
  }

  /** Nothing is mapped, formatted or renamed on the word of the answer that named the id (rule 15). */
  async #assertMade(id: VolumeId, { name, arrayName }: HostVolume, signal: AbortSignal): Promise<void> {
    const made = await this.#host.array.getVolume(id, signal);
    if (made?.name === arrayName && made.attachments.length === 0 && !made.attachedToAll) return;
    throw new GatewayUnavailableError(
      `creating volume "${name}" failed: the array answered with id "${id}", which is not the volume that was asked for; nothing was done to it, try again`,
      { context: { volumeId: id } },
    );
  }

  /** The only place that formats: a volume with a provisional name, mapped to us alone, proven blank (rule 3). */
  async #format(draft: Draft, signal: AbortSignal): Promise<VolumeLabel> {
    const { filesystems } = this.#host;
    const { name, me, sizeKiB, id, mountpoint } = draft;
    const final = filesystems.mountpointOf(arrayNameFor(this.#host.policy.prefix, name));
    const awaited = awaitDevice(
      this.#host,
      { id, sizeKiB, attempt: `creating volume "${name}"` },
      me,
      signal,
    );
    try {
      const [held] = await Promise.all([
        awaited,
        filesystems.prepareMountpoint(mountpoint),
        // The first Mount here is likely the next call, and both are made at one go.
        filesystems.prepareMountpoint(final),
      ]);
      return await this.#fill(held, draft, signal).catch((cause: unknown) =>
        throwReason(cause, { held, log: this.#host.log }, signal),
      );
    } finally {
      await letGo(awaited);
    }
  }

  /** Between any two steps that write it is made certain that the device is still the one that was identified (rule 14). */
  async #fill(held: HeldDevice, draft: Draft, signal: AbortSignal): Promise<VolumeLabel> {
    const { filesystems } = this.#host;
    const { name, options, id, mountpoint } = draft;
    const { device } = held;
    const needed = { device, attempt: `creating volume "${name}"` };
    const make = async (): Promise<void> => {
      await filesystems.proveBlank(device, signal);
      await held.assertSame(signal);
      await filesystems.make(device, { fs: options.fs, options: options.mkfsOptions }, signal);
      await held.assertSame(signal);
    };
    await patiently(this.#host, needed, make, signal);
    const label = labelOf(options, { name, volumeId: id });
    const request = { fs: options.fs, options: options.mountOptions, readOnly: false };
    const mount = async (): Promise<void> => {
      await held.assertSame(signal);
      await filesystems.mount(device, mountpoint, request, signal);
    };
    await patiently(this.#host, needed, mount, signal);
    await held.assertSame(signal);
    const { uid, gid, mode, subpath } = options;
    await filesystems.prepareRoot(mountpoint, { uid, gid, mode, subpath }, signal);
    await filesystems.writeLabel(mountpoint, label, signal);
    await held.assertSame(signal);
    await filesystems.unmount(mountpoint, { lazy: false }, signal);
    await this.#awaitFree(device, name, signal);
    return label;
  }

  async #awaitFree(device: Device, name: VolumeName, signal: AbortSignal): Promise<void> {
    const { filesystems, clock } = this.#host;
    while (await filesystems.isHeld(device)) {
      this.#host.log.debug({ volume: name, device: device.path }, 'kernel still holds the new volume');
      await clock.sleep(20, signal);
    }
  }

  async #clear(entry: UnfinishedVolume): Promise<void> {
    try {
      await removeProvisional(this.#host, entry, AbortSignal.timeout(this.#host.policy.cleanupMs));
    } catch (cause) {
      const reason = isPluginError(cause) ? cause.message : String(cause);
      this.#host.log.warn(
        { volume: entry.name, error: reason },
        'provisional volume not removed now; trying again later',
      );
    }
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
    const facts = { volume, label: known.label, capabilities, askedPool };
    const differences = compareOptions(facts, options);
    if (differences.length === 0) return;
    throw new VolumeConflictError(
      `volume "${name}" exists and differs: ${differences.join('; ')}. Use it as it is, or choose another name`,
      { context: { volumeId: volume.id } },
    );
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
