import type { CopyRequest } from '../../../../src/array/copies.ts';
import type { FamilyId, PolicyId, SnapshotGroupId, VolumeId } from '../../../../src/array/ids.ts';
import { IsSoError, rejection, type FakeArray, type StoredVolume } from './fake-array.ts';

/** How many snapshots the array lets a family hold. */
export function snapshotsPerFamily({ capabilities }: FakeArray): number {
  return capabilities.readOnlyLimit ? 126 : 31;
}

/** Takes the snapshots, all or none. */
export function snapshotAll(array: FakeArray, request: CopyRequest, nowSeconds: number): StoredVolume[] {
  const { copies, access, secureForMinutes = 0 } = request;
  const taken = copies.find(({ name }) => array.byName(name) !== undefined);
  if (taken !== undefined) throw rejection('name-in-use', 'Volume name already in use');
  for (const { volumeId } of copies) assertRoom(array, array.existing(volumeId).vtreeId, copies);
  const names = copies.map(({ name }) => name).join(' ');
  const groupId = `90000000${array.suffixFor(`group ${names}`)}` as SnapshotGroupId;
  const more = {
    groupId,
    accessModeLimit: array.capabilities.readOnlyLimit ? access : 'ReadWrite',
    secureUntilSeconds: secureForMinutes === 0 ? 0 : nowSeconds + secureForMinutes * 60,
  } as const;
  return copies.map(({ volumeId, name }) => array.snapshot(volumeId, name, nowSeconds, more));
}

function assertRoom(array: FakeArray, family: FamilyId, copies: CopyRequest['copies']): void {
  const members = [...array.volumes.values()].filter(({ vtreeId }) => vtreeId === family);
  const coming = copies.filter(({ volumeId }) => array.existing(volumeId).vtreeId === family);
  if (members.length - 1 + coming.length > snapshotsPerFamily(array))
    throw rejection('family-full', 'There are too many snapshots in the VTree');
}

/** Gives the target the content and size of the source. */
export function overwrite(array: FakeArray, target: VolumeId, source: VolumeId, nowSeconds: number): void {
  const [to, from] = [array.existing(target), array.existing(source)];
  if (to === from) throw rejection('other', 'You cannot overwrite a volume with itself');
  if (to.vtreeId !== from.vtreeId) throw rejection('other-family', 'not from the same V-Tree');
  if (to.secureUntilSeconds > nowSeconds) throw rejection('locked', 'the snapshot is secured');
  to.content = structuredClone(from.content);
  to.sizeKiB = from.sizeKiB;
  for (const hostId of to.mappings.keys()) array.listeners.get(hostId)?.overwritten(to);
}

/** The policy takes snapshots of the volume from now on. */
export function addSource(array: FakeArray, policyId: PolicyId, volumeId: VolumeId): void {
  const volume = array.existing(volumeId);
  if (!array.policies.has(policyId)) throw rejection('other', 'The snapshot policy was not found');
  if (volume.policyId === policyId) throw new IsSoError('already associated');
  const has = [...array.volumes.values()].some(
    (other) => other.vtreeId === volume.vtreeId && other.policyId !== null,
  );
  if (has) throw rejection('family-has-source', 'A single VTree cannot contain more than one source-volume');
  volume.policyId = policyId;
}

/** No more of them. */
export function removeSource(array: FakeArray, policyId: PolicyId, volumeId: VolumeId): void {
  const volume = array.existing(volumeId);
  if (volume.policyId !== policyId) throw new IsSoError('The source volume is not associated');
  volume.policyId = null;
}
