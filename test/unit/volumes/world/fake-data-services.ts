import {
  CancelledError,
  GatewayRejectedError,
  GatewayUnavailableError,
  InvalidRequestError,
} from '../../../../src/errors.ts';
import {
  LONGEST_SECURED_MINUTES,
  type CopyRequest,
  type FamilyUsage,
  type SnapshotPolicy,
  type VolumeIo,
} from '../../../../src/array/copies.ts';
import type { ArrayName, FamilyId, HostId, PolicyId, VolumeId } from '../../../../src/array/ids.ts';
import type { SnapshotPolicies, VolumeActivity, VolumeCopies } from '../../../../src/array/storage-array.ts';
import { IsSoError, type FakeArray } from './fake-array.ts';
import { addSource, overwrite, removeSource, snapshotAll, snapshotsPerFamily } from './fake-copies.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ReachedFrom {
  readonly sdcId: HostId;
  readonly name: string;
  readonly mayFence: boolean;
  gatewayUp: boolean;
}

/** Copies, policies and figures as one life of one host's plugin reaches them; counts what would be calls to a real gateway. */
export abstract class FakeDataServices implements VolumeCopies, SnapshotPolicies, VolumeActivity {
  /** Gateway calls by method since the last reset. */
  readonly calls = new Map<string, number>();
  protected readonly array: FakeArray;
  protected readonly clock: VirtualClock;
  protected readonly host: ReachedFrom;
  readonly #cached = new Set<string>();

  constructor(array: FakeArray, clock: VirtualClock, host: ReachedFrom) {
    this.array = array;
    this.clock = clock;
    this.host = host;
  }

  get totalCalls(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  async snapshotVolume(volumeId: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId> {
    await this.called('snapshotVolume', signal);
    const request = { copies: [{ volumeId, name }], access: 'ReadWrite' } as const;
    const [made] = snapshotAll(this.array, request, this.seconds());
    if (made === undefined) throw new Error('a snapshot was asked for and none was made');
    return made.id;
  }

  async snapshotVolumes(request: CopyRequest, signal: AbortSignal): Promise<readonly VolumeId[]> {
    const { copies, secureForMinutes: minutes } = request;
    if (copies.length === 0 || new Set(copies.map(({ name }) => name)).size < copies.length)
      throw new InvalidRequestError('snapshots of no volume, or two of one name');
    if (minutes !== undefined) {
      if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_SECURED_MINUTES)
        throw new InvalidRequestError(`snapshots cannot be secured for ${minutes} minutes`);
      this.assertThird();
    }
    await this.called('snapshotVolumes', signal);
    return snapshotAll(this.array, request, this.seconds()).map(({ id }) => id);
  }

  async overwriteContent(target: VolumeId, source: VolumeId, signal: AbortSignal): Promise<void> {
    await this.called('overwriteContent', signal);
    const { host } = this;
    const { mappings, name } = this.array.existing(target);
    const others = [...mappings.keys()].filter((hostId) => hostId !== host.sdcId);
    if (others.length > 0)
      this.array.violations.push(`"${name}" was overwritten by ${host.name} while ${others.join()} had it`);
    overwrite(this.array, target, source, this.seconds());
  }

  async limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void> {
    await this.called('limitToReadOnly', signal);
    this.assertThird();
    this.array.limitAccess(id, 'ReadOnly');
  }

  async allowWriting(id: VolumeId, signal: AbortSignal): Promise<void> {
    await this.called('allowWriting', signal);
    this.assertThird();
    this.array.limitAccess(id, 'ReadWrite');
  }

  async familyLimit(signal: AbortSignal): Promise<number> {
    await this.onceCalled('familyLimit', signal);
    return snapshotsPerFamily(this.array);
  }

  async listSnapshotPolicies(signal: AbortSignal): Promise<readonly SnapshotPolicy[]> {
    if (this.array.capabilities.snapshotPolicies) await this.called('listSnapshotPolicies', signal);
    else if (signal.aborted) throw cancelled('listSnapshotPolicies');
    return [...this.array.policies.values()];
  }

  async findSnapshotPolicy(name: string, signal: AbortSignal): Promise<SnapshotPolicy> {
    this.assertThird();
    await this.called('listSnapshotPolicies', signal);
    const policies = [...this.array.policies.values()];
    const found = policies.find((policy) => policy.name === name);
    if (found !== undefined) return found;
    const names = policies.map((policy) => `"${policy.name ?? policy.id}"`).join(', ');
    throw new InvalidRequestError(`snapshot policy ${name} is none of ${names}`);
  }

  async addPolicySource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.assertThird();
    await this.called('addPolicySource', signal);
    this.unless(isSo, () => {
      addSource(this.array, policyId, volumeId);
    });
  }

  async removePolicySource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.assertThird();
    await this.called('removePolicySource', signal);
    this.unless(
      (cause) => isSo(cause) || isGone(cause),
      () => {
        removeSource(this.array, policyId, volumeId);
      },
    );
  }

  async recentIo(id: VolumeId, signal: AbortSignal): Promise<number> {
    await this.called('recentIo', signal);
    return this.array.existing(id).recentIo;
  }

  async ioOf(
    ids: readonly VolumeId[] | 'all',
    signal: AbortSignal,
  ): Promise<ReadonlyMap<VolumeId, VolumeIo>> {
    if (ids.length === 0) return new Map();
    await this.called('ioOf', signal);
    const { volumes } = this.array;
    const asked = ids === 'all' ? [...volumes.values()] : ids.flatMap((id) => volumes.get(id) ?? []);
    return new Map(
      asked.map(({ id, recentIo }) => {
        const rate = { iops: recentIo / 2, kibPerSecond: 4 * recentIo, latencyMicroseconds: null };
        return [id, { read: rate, write: rate }];
      }),
    );
  }

  async usageOfFamilies(
    ids: readonly FamilyId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<FamilyId, FamilyUsage>> {
    if (ids.length === 0) return new Map();
    await this.called('usageOfFamilies', signal);
    const living = new Set([...this.array.volumes.values()].map(({ vtreeId }) => vtreeId));
    const found = ids.filter((id) => living.has(id));
    return new Map(found.map((familyId) => [familyId, { familyId, baseKiB: 0, snapshotsKiB: 0 }]));
  }

  protected seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  protected called(method: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(cancelled(method));
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    if (!this.host.gatewayUp) return Promise.reject(new GatewayUnavailableError(`no gateway for ${method}`));
    return Promise.resolve();
  }

  protected async onceCalled(method: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled(method);
    if (this.#cached.has(method)) return;
    await this.called(method, signal);
    this.#cached.add(method);
  }

  protected assertThird(): void {
    if (this.array.capabilities.readOnlyLimit) return;
    throw new InvalidRequestError(`version ${this.array.version} cannot do this, it takes 3.0 or later`);
  }

  /** The port promises success for these refusals. */
  protected unless(isSuccess: (cause: unknown) => boolean, effect: () => void): void {
    try {
      effect();
    } catch (cause) {
      if (!isSuccess(cause)) throw cause;
    }
  }
}

function cancelled(method: string): CancelledError {
  return new CancelledError(`${method} was cancelled`);
}

export function isSo(cause: unknown): boolean {
  return cause instanceof IsSoError;
}

export function isGone(cause: unknown): boolean {
  return cause instanceof GatewayRejectedError && cause.refusal === 'volume-unknown';
}
