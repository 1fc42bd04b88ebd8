import { asSystemId, type HostId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import { overwrite } from '../../unit/volumes/world/fake-copies.ts';
import type { World } from '../../unit/volumes/world/world.ts';
import { GIB } from './simulated.ts';

/** The gateway, with what it is told to map coming and going in the world's kernel. */
export function seenByKernel(gateway: StorageArray, { array }: World, hostId: HostId): StorageArray {
  return {
    ...gateway,
    // The kernel there has the devices of its own array.
    identity: async (signal) => ({
      ...(await gateway.identity(signal)),
      systemId: asSystemId(array.systemId),
    }),
    createVolume: async (volume, signal) => {
      const id = await gateway.createVolume(volume, signal);
      const { name, pool } = volume;
      array.add({ id, name, sizeKiB: 16 * GIB, storagePoolId: pool.id, createdAtSeconds: 0 });
      return id;
    },
    attachVolume: async (request, signal) => {
      await gateway.attachVolume(request, signal);
      array.map(request.volumeId, hostId, false);
    },
    detachVolume: async (id, from, signal) => {
      await gateway.detachVolume(id, from, signal);
      array.unmap(id, hostId);
    },
    snapshotVolumes: async (request, signal) => {
      const ids = await gateway.snapshotVolumes(request, signal);
      request.copies.forEach(({ volumeId, name }, index) => {
        const id = ids[index];
        const { storagePoolId, sizeKiB, content, vtreeId } = array.existing(volumeId);
        const of = { ancestorId: volumeId, kind: 'snapshot', storagePoolId, sizeKiB, vtreeId } as const;
        if (id !== undefined)
          array.add({ ...of, id, name, createdAtSeconds: 0, content: structuredClone(content) });
      });
      return ids;
    },
    overwriteContent: async (target, source, signal) => {
      await gateway.overwriteContent(target, source, signal);
      overwrite(array, target, source, 0);
    },
    renameVolume: async (id, name, signal) => {
      await gateway.renameVolume(id, name, signal);
      array.rename(id, name);
    },
  };
}
