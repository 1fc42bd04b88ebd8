import { asArrayName, asVolumeId, type HostId, type VolumeId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import type { ArrayVolume, NewVolume } from '../../../src/array/volume.ts';
import type { OpenArray, OpenStorageArray } from './subject.ts';
import { soon } from '../soon.ts';

export const GIB = 1024 * 1024;
/** Of a volume that no array here has. */
export const NO_VOLUME = asVolumeId('fffffffe00000000');

/** An array with one pool. */
export function openOnePool(open: OpenStorageArray): Promise<OpenArray> {
  return open([{ domain: 'pd1', pools: ['sp1'] }]);
}

/** What is asked for as a volume of this name: 10 GiB, thin, in the array's one pool. */
export async function wanted(array: StorageArray, name: string): Promise<NewVolume> {
  const pool = await array.findPool({ pool: undefined, domain: undefined }, soon());
  return { name: asArrayName(name), sizeKiB: 10 * GIB, pool, provisioning: 'thin' };
}

/** Makes such a volume. */
export async function made(array: StorageArray, name: string): Promise<VolumeId> {
  return array.createVolume(await wanted(array, name), soon());
}

/** Makes such a volume and removes it. */
export async function goneVolume(array: StorageArray): Promise<VolumeId> {
  const id = await made(array, 'docker-gone');
  await array.removeVolume(id, soon());
  return id;
}

/** The volume, which must be there. */
export async function read(array: StorageArray, id: VolumeId): Promise<ArrayVolume> {
  const volume = await array.getVolume(id, soon());
  if (volume === undefined) throw new Error(`the array has no volume "${id}"`);
  return volume;
}

/** Who has the volume, in no order. */
export async function holders(array: StorageArray, id: VolumeId): Promise<HostId[]> {
  const { attachments } = await read(array, id);
  return attachments.map(({ hostId }) => hostId).toSorted();
}

/** All volumes that there are, in the order of their ids. */
export async function everything(array: StorageArray): Promise<ArrayVolume[]> {
  const volumes = await array.listVolumes(() => true, soon());
  return volumes.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

export function idsOf(volumes: readonly { readonly id: VolumeId }[]): VolumeId[] {
  return volumes.map(({ id }) => id).toSorted();
}
