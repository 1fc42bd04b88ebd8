import { GatewayRejectedError } from '../../errors.ts';
import type { ArrayName, VolumeId } from '../../array/ids.ts';
import type { ArrayCapabilities } from '../../array/system.ts';
import type { ArrayVolume, NewVolume } from '../../array/volume.ts';
import { objectOf } from '../wire/bodies.ts';
import { lookForNamed, nameTaken } from './by-name.ts';
import { changeOnce, changeVolume } from './change.ts';
import type { GatewayClient } from '../wire/client.ts';
import { lacks, lockedMeaning, meaning } from './meaning.ts';
import { createdSchema } from './schemas.ts';
import { VOLUME_INSTANCES, type Volumes } from './volumes.ts';

const KIB_PER_GIB = 1024 * 1024;
const DETACH_FIRST = 'take it off the snapshot policy first; its snapshots stay';

function isAsAskedFor(found: ArrayVolume, asked: NewVolume, { grainKiB }: ArrayCapabilities): boolean {
  return (
    found.poolId === asked.pool.id &&
    found.kind === asked.provisioning &&
    found.sizeKiB >= asked.sizeKiB &&
    found.sizeKiB < asked.sizeKiB + grainKiB &&
    found.attachments.length === 0
  );
}

/** Making, changing and removing volumes, as StorageArray promises it. */
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
    const look = async (): Promise<VolumeId | undefined> =>
      (await lookForNamed(this.#volumes, { name, what, isOurs }, signal))?.id;
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
      if (found.attachments.length > 0 || found.attachedToAll) throw meaning(error, 'still-attached');
      if (error.refusal !== 'other') throw error;
      if (found.policyId !== null) throw meaning(error, 'policy-source', DETACH_FIRST);
      throw lockedMeaning(error, found) ?? error;
    }
  }

  limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void> {
    return this.#limitAccess(`limit volume "${id}" to reading`, id, 'ReadOnly', signal);
  }

  allowWriting(id: VolumeId, signal: AbortSignal): Promise<void> {
    return this.#limitAccess(`let volume "${id}" be written`, id, 'ReadWrite', signal);
  }

  async #limitAccess(
    what: string,
    id: VolumeId,
    accessModeLimit: 'ReadOnly' | 'ReadWrite',
    signal: AbortSignal,
  ): Promise<void> {
    const identity = await this.#client.identify(signal);
    if (!identity.capabilities.readOnlyLimit) throw lacks(what, identity);
    const action = { what, id, action: 'setVolumeAccessModeLimit', body: { accessModeLimit } };
    await this.#change(action, (found) => found?.accessModeLimit === accessModeLimit, signal);
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
}
