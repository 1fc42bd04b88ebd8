import { describe, expect, test } from 'vitest';
import { CancelledError, PluginError } from '../../../src/errors.ts';
import {
  asArrayName,
  asPolicyId,
  type FamilyId,
  type HostId,
  type VolumeId,
} from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import type { StoragePool } from '../../../src/array/pool.ts';
import type { OpenStorageArray } from './subject.ts';
import { everything, made, openOnePool, read } from './scene.ts';
import { soon } from '../soon.ts';

interface Things {
  /** Attached to the host. */
  readonly held: VolumeId;
  readonly free: VolumeId;
  readonly family: FamilyId;
  readonly hostId: HostId;
  readonly pool: StoragePool;
}

type Call = (array: StorageArray, things: Things, signal: AbortSignal) => Promise<unknown>;

const NEW = asArrayName('docker-new');
const POLICY = asPolicyId('fffffffe00000003');
const ANY_POOL = { pool: undefined, domain: undefined };

/** What an array before 3.0 cannot do; that may be said before anybody looks at the signal. */
const SINCE_THREE: ReadonlySet<string> = new Set([
  'limitToReadOnly',
  'allowWriting',
  'listSnapshotPolicies',
  'findSnapshotPolicy',
  'addPolicySource',
  'removePolicySource',
]);

/** Each method but identity, whose answer may be known already. */
const CALLS: Readonly<Record<Exclude<keyof StorageArray, 'identity'>, Call>> = {
  findVolumeId: (array, _, signal) => array.findVolumeId(asArrayName('docker-db'), signal),
  getVolume: (array, { free }, signal) => array.getVolume(free, signal),
  getVolumes: (array, { free, held }, signal) => array.getVolumes([free, held], signal),
  listVolumes: (array, _, signal) => array.listVolumes(() => true, signal),
  listVolumeNames: (array, _, signal) => array.listVolumeNames((name) => name, signal),
  volumesOfFamily: async (array, { free }, signal) => array.volumesOfFamily(await read(array, free), signal),
  createVolume: (array, { pool }, signal) =>
    array.createVolume({ name: NEW, sizeKiB: 1, pool, provisioning: 'thin' }, signal),
  renameVolume: (array, { free }, signal) => array.renameVolume(free, NEW, signal),
  removeVolume: (array, { free }, signal) => array.removeVolume(free, signal),
  limitToReadOnly: (array, { free }, signal) => array.limitToReadOnly(free, signal),
  snapshotVolume: (array, { free }, signal) => array.snapshotVolume(free, NEW, signal),
  snapshotVolumes: (array, { free }, signal) =>
    array.snapshotVolumes({ copies: [{ volumeId: free, name: NEW }], access: 'ReadWrite' }, signal),
  overwriteContent: (array, { free, held }, signal) => array.overwriteContent(free, held, signal),
  allowWriting: (array, { free }, signal) => array.allowWriting(free, signal),
  familyLimit: (array, _, signal) => array.familyLimit(signal),
  listSnapshotPolicies: (array, _, signal) => array.listSnapshotPolicies(signal),
  findSnapshotPolicy: (array, _, signal) => array.findSnapshotPolicy('daily', signal),
  addPolicySource: (array, { free }, signal) => array.addPolicySource(POLICY, free, signal),
  removePolicySource: (array, { free }, signal) => array.removePolicySource(POLICY, free, signal),
  growVolume: async (array, { free }, signal) => {
    const { sizeKiB } = await read(array, free);
    return array.growVolume(free, 2 * sizeKiB, signal);
  },
  attachVolume: (array, { free: volumeId, hostId }, signal) =>
    array.attachVolume({ volumeId, hostId, readOnly: false }, signal),
  detachVolume: (array, { held, hostId }, signal) => array.detachVolume(held, hostId, signal),
  limitAttachment: (array, { held: volumeId, hostId }, signal) =>
    array.limitAttachment({ volumeId, hostId }, { iops: 100, bandwidthKiBps: 0 }, signal),
  volumesOfHost: (array, { hostId }, signal) => array.volumesOfHost(hostId, signal),
  recentIo: (array, { free }, signal) => array.recentIo(free, signal),
  ioOf: (array, { free }, signal) => array.ioOf([free], signal),
  usageOfFamilies: (array, { family }, signal) => array.usageOfFamilies([family], signal),
  findHost: (array, _, signal) => array.findHost('99999999-9999-9999-9999-999999999999', signal),
  getHost: (array, { hostId }, signal) => array.getHost(hostId, signal),
  findPool: (array, _, signal) => array.findPool(ANY_POOL, signal),
  describePool: (array, { pool }, signal) => array.describePool(pool.id, signal),
  poolUsage: (array, { pool }, signal) => array.poolUsage(pool.id, signal),
};

export function signalCases(open: OpenStorageArray): void {
  test('ends identity, when nobody has asked for it before', async () => {
    const { array } = (await openOnePool(open)).one;
    await expect(array.identity(AbortSignal.abort())).rejects.toBeInstanceOf(CancelledError);
  });

  describe.each(Object.entries(CALLS))('%s', (method, call) => {
    test('is cancelled and changes nothing', async () => {
      const { one } = await openOnePool(open);
      const { array, hostId } = one;
      const [held, free] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
      await array.attachVolume({ volumeId: held, hostId, readOnly: false }, soon());
      const pool = await array.findPool(ANY_POOL, soon());
      const before = await everything(array);
      const { familyId: family } = await read(array, free);
      if (family === null) throw new Error('the array does not say which family a volume is of');
      const isThird = (await array.identity(soon())).capabilities.readOnlyLimit;
      const ended = call(array, { held, free, family, hostId, pool }, AbortSignal.abort());
      const ending = SINCE_THREE.has(method) && !isThird ? PluginError : CancelledError;
      await expect(ended).rejects.toBeInstanceOf(ending);
      expect(await everything(array)).toEqual(before);
    });
  });
}
