import { GatewayRejectedError, VolumeConflictError, VolumeNotFoundError } from '../../errors.ts';
import type { SnapshotPolicy } from '../../array/copies.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeName } from '../volume.ts';

/** Null: none. */
export interface PolicyOfVolume {
  /** The policy's name, or its id where it has none. */
  readonly policy: string | null;
  /** It takes snapshots now; null without one. */
  readonly isActive: boolean | null;
  readonly before: string | null;
}

export interface PolicyHost {
  readonly array: Pick<
    StorageArray,
    'listSnapshotPolicies' | 'findSnapshotPolicy' | 'addPolicySource' | 'removePolicySource'
  >;
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
}

/**
 * Which policy of the array takes snapshots of the volume, and from now on `set`, where that is given; `policy` null: none any more. Those that
 * a former one took stay. Two calls and a look-up to look, up to two more to change. Call with the volume's lock held. Rejects with
 * VolumeNotFoundError, with InvalidRequestError for a policy that the array does not have, and with VolumeConflictError where another volume of
 * its family has one.
 */
export async function policyOfVolume(
  { array, find }: PolicyHost,
  { name, set }: { readonly name: VolumeName; readonly set: { readonly policy: string | null } | null },
  signal: AbortSignal,
): Promise<PolicyOfVolume> {
  const volume = await find(name, signal);
  if (volume === undefined)
    throw new VolumeNotFoundError(`no volume "${name}" on the array; see docker-volume-scaleio volume ls`);
  const wanted =
    typeof set?.policy === 'string' ? await array.findSnapshotPolicy(set.policy, signal) : undefined;
  const has = await policyOf(array, volume, signal);
  const before = described(has).policy;
  if (set === null) return { ...described(has), before };
  if (has !== undefined && has.id !== wanted?.id) await array.removePolicySource(has.id, volume.id, signal);
  if (wanted !== undefined && has?.id !== wanted.id)
    await addSource(array, { name, id: volume.id }, wanted, signal);
  return { ...described(wanted), before };
}

type Named = Pick<SnapshotPolicy, 'id' | 'name' | 'isActive'>;

function described(policy: Named | undefined): Pick<PolicyOfVolume, 'policy' | 'isActive'> {
  if (policy === undefined) return { policy: null, isActive: null };
  return { policy: policy.name ?? policy.id, isActive: policy.isActive };
}

/** One that the array does not list takes none, as far as anybody can tell. */
async function policyOf(
  array: PolicyHost['array'],
  { policyId }: Pick<ArrayVolume, 'policyId'>,
  signal: AbortSignal,
): Promise<Named | undefined> {
  if (policyId === null) return undefined;
  const all = await array.listSnapshotPolicies(signal);
  return all.find(({ id }) => id === policyId) ?? { id: policyId, name: null, isActive: false };
}

/** The policy takes snapshots of the volume from now on. Rejects with VolumeConflictError where another volume of its family has one. */
export async function addSource(
  array: Pick<StorageArray, 'addPolicySource'>,
  { name, id }: { readonly name: string; readonly id: VolumeId },
  policy: SnapshotPolicy,
  signal: AbortSignal,
): Promise<void> {
  try {
    await array.addPolicySource(policy.id, id, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'family-has-source') throw cause;
    throw new VolumeConflictError(
      `giving volume "${name}" snapshot policy "${policy.name ?? policy.id}" failed: a policy takes snapshots of the volume already, or of one that shares its origin, and the array allows one in a family`,
      { cause, context: { volumeId: id } },
    );
  }
}
