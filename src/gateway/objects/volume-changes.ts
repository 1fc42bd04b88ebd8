import { GatewayRejectedError, InvalidRequestError } from '../../errors.ts';
import type { ArrayName, VolumeId } from '../../array/ids.ts';
import type { ArrayCapabilities } from '../../array/system.ts';
import type { ArrayVolume, NewVolume } from '../../array/volume.ts';
import { objectOf } from '../wire/bodies.ts';
import { actionCall, changeOnce, changeVolume } from './change.ts';
import type { GatewayClient } from '../wire/client.ts';
import { UnclearAnswerError } from '../wire/failures.ts';
import { createdSchema, snapshotSchema } from './schemas.ts';
import { VOLUME_INSTANCES, type Volumes } from './volumes.ts';

const KIB_PER_GIB = 1024 * 1024;
function isAsAskedFor(found: ArrayVolume, asked: NewVolume, { grainKiB }: ArrayCapabilities): boolean {
  return (
    found.poolId === asked.pool.id &&
    found.kind === asked.provisioning &&
    found.sizeKiB >= asked.sizeKiB &&
    found.sizeKiB < asked.sizeKiB + grainKiB &&
    found.attachments.length === 0
  );
}

/** Making, changing and removing volumes and snapshots, as StorageArray promises it. */
export class VolumeChanges {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;

  constructor(client: GatewayClient, volumes: Volumes) {
    this.#client = client;
    this.#volumes = volumes;
  }

  async create(volume: NewVolume, signal: AbortSignal): Promise<VolumeId> {
    const { capabilities } = await this.#client.identify(signal);
    const { name, pool, sizeKiB, provisioning } = volume;
    const what = `create volume "${name}" in storage pool "${pool.name}"`;
    const body = {
      name,
      volumeSizeInKb: String(sizeKiB),
      storagePoolId: pool.id,
      protectionDomainId: pool.domainId,
      volumeType: provisioning === 'thin' ? 'ThinProvisioned' : 'ThickProvisioned',
    };
    const make = async (): Promise<VolumeId> => {
      const created = await this.#client.call(
        {
          what,
          method: 'POST',
          path: VOLUME_INSTANCES,
          route: VOLUME_INSTANCES,
          body,
          repeatable: false,
          read: objectOf(createdSchema),
        },
        signal,
      );
      return created.id;
    };
    const isOurs = (found: ArrayVolume): boolean => isAsAskedFor(found, volume, capabilities);
    const look = (): Promise<VolumeId | undefined> => this.#lookFor({ name, what, isOurs }, signal);
    return this.#unlessNameTaken(
      { what, name, id: undefined },
      changeOnce(this.#client, { what, make, look }, signal),
      signal,
    );
  }

  async rename(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<void> {
    const what = `rename volume "${id}" to "${name}"`;
    const action = { what, id, action: 'setVolumeName', body: { newName: name } };
    const change = this.#change(action, (found) => found?.name === name, signal);
    await this.#unlessNameTaken({ what, name, id }, change, signal);
  }

  /** Rule 15: gone is what cannot be read any more, whatever the refusal calls it; mapped is what has mappings. */
  async remove(id: VolumeId, signal: AbortSignal): Promise<void> {
    const body = { removeMode: 'ONLY_ME' };
    const action = { what: `remove volume "${id}"`, id, action: 'removeVolume', body };
    try {
      await this.#change(action, (found) => found === undefined, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      const found = await this.#volumes.get(id, signal);
      if (found === undefined) return;
      if (found.attachments.length === 0 && !found.attachedToAll) throw error;
      const { message, context } = error;
      throw new GatewayRejectedError(message, { refusal: 'still-attached', context, cause: error });
    }
  }

  /** Setting a limit twice is as good as once, so a lost reply needs no looking. */
  async limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void> {
    const what = `limit volume "${id}" to reading`;
    const identity = await this.#client.identify(signal);
    if (!identity.capabilities.readOnlyLimit) {
      throw new InvalidRequestError(
        `cannot ${what}: the array's version is ${identity.version}, it takes 3.0 or later`,
      );
    }
    const body = { accessModeLimit: 'ReadOnly' };
    await this.#client.call(actionCall({ what, id, action: 'setVolumeAccessModeLimit', body }, true), signal);
  }

  async snapshot(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId> {
    const what = `snapshot volume "${id}" as "${name}"`;
    const identity = await this.#client.identify(signal);
    const path = '/api/instances/System/action/snapshotVolumes';
    const body = {
      snapshotDefs: [{ volumeId: id, snapshotName: name }],
      // Sources differ on what 3.x makes of a snapshot without it; 2.x does not know it.
      ...(identity.capabilities.readOnlyLimit ? { accessModeLimit: 'ReadWrite' } : {}),
    };
    const read = objectOf(snapshotSchema);
    const make = async (): Promise<VolumeId> => {
      const made: VolumeId = await this.#client.call(
        { what, method: 'POST', path, route: path, body, repeatable: false, read },
        signal,
      );
      return made;
    };
    const isOurs = (found: ArrayVolume): boolean => found.ancestorId === id;
    const look = (): Promise<VolumeId | undefined> => this.#lookFor({ name, what, isOurs }, signal);
    return changeOnce(this.#client, { what, make, look }, signal);
  }

  grow(id: VolumeId, sizeKiB: number, signal: AbortSignal): Promise<void> {
    const sizeInGB = String(sizeKiB / KIB_PER_GIB);
    const what = `grow volume "${id}" to ${sizeInGB} GiB`;
    const action = { what, id, action: 'setVolumeSize', body: { sizeInGB } };
    return this.#change(action, (found) => found !== undefined && found.sizeKiB >= sizeKiB, signal);
  }

  #change(
    action: Parameters<typeof changeVolume>[1],
    isDone: (volume: ArrayVolume | undefined) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    return changeVolume({ client: this.#client, volumes: this.#volumes }, action, isDone, signal);
  }

  /** A refusal of a name that another volume bears is one as 'name-in-use', whatever number the array gave it. */
  async #unlessNameTaken<T>(
    { what, name, id }: { what: string; name: ArrayName; id: VolumeId | undefined },
    change: Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    try {
      return await change;
    } catch (error) {
      if (!(error instanceof GatewayRejectedError) || error.refusal === 'name-in-use') throw error;
      const found = await this.#volumes.find(name, signal);
      if (found === undefined || found === id) throw error;
      throw nameTaken(what, found, error);
    }
  }

  /** The id of the volume of this name if it is what was asked for; refused as 'name-in-use' if it is another. */
  async #lookFor(
    wanted: { name: ArrayName; what: string; isOurs: (found: ArrayVolume) => boolean },
    signal: AbortSignal,
  ): Promise<VolumeId | undefined> {
    const id = await this.#volumes.find(wanted.name, signal);
    const found = id === undefined ? undefined : await this.#volumes.get(id, signal);
    if (found === undefined) return undefined;
    if (found.name !== wanted.name) {
      throw new UnclearAnswerError(
        `cannot ${wanted.what}, or see whether it happened: by that name the array answers "${found.name ?? found.id}"; try again`,
      );
    }
    if (wanted.isOurs(found)) return found.id;
    throw nameTaken(wanted.what, found.id);
  }
}

function nameTaken(what: string, volumeId: VolumeId, cause?: unknown): GatewayRejectedError {
  const message = `cannot ${what}: another volume has this name; use a different name`;
  return new GatewayRejectedError(message, { refusal: 'name-in-use', context: { volumeId }, cause });
}
