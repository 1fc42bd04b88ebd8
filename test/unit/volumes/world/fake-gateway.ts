import { GatewayUnavailableError, InvalidRequestError } from '../../../../src/errors.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { ArrayName, HostId, PoolId, SystemId, VolumeId } from '../../../../src/array/ids.ts';
import type { StoragePool } from '../../../../src/array/pool.ts';
import type { StorageArray } from '../../../../src/array/storage-array.ts';
import type { ArrayIdentity } from '../../../../src/array/system.ts';
import type { ArrayVolume, AttachmentRequest, NewVolume } from '../../../../src/array/volume.ts';
import { rejection, roundToGrain, type FakeArray } from './fake-array.ts';
import { FakeDataServices, isGone, isSo } from './fake-data-services.ts';

/** The array as one life of one host's plugin reaches it; counts what would be calls to a real gateway. */
export class FakeGateway extends FakeDataServices implements StorageArray {
  async identity(signal: AbortSignal): Promise<ArrayIdentity> {
    // Once it is known nothing has to be ended.
    await this.onceCalled('identity', signal);
    return {
      systemId: this.array.systemId as SystemId,
      name: null,
      version: this.array.version,
      capabilities: this.array.capabilities,
    };
  }

  async findVolumeId(name: ArrayName, signal: AbortSignal): Promise<VolumeId | undefined> {
    await this.called('findVolumeId', signal);
    return this.array.wrongIds.get(name) ?? this.array.byName(name)?.id;
  }

  async getVolume(id: VolumeId, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    await this.called('getVolume', signal);
    const volume = this.array.volumes.get(id);
    return volume === undefined ? undefined : this.array.describe(volume);
  }

  async getVolumes(ids: readonly VolumeId[], signal: AbortSignal): Promise<ArrayVolume[]> {
    if (ids.length === 0) return [];
    const wanted = [...new Set(ids)];
    await this.called('getVolumes', signal);
    const found = wanted.flatMap((id) => this.array.volumes.get(id) ?? []);
    // The array refuses the whole query when one is gone: asked again without it.
    if (found.length < wanted.length) await this.called('getVolumes', signal);
    return found.map((volume) => this.array.describe(volume));
  }

  async listVolumeNames<T>(pick: (name: string) => T | undefined, signal: AbortSignal): Promise<T[]> {
    await this.called('listVolumeNames', signal);
    return [...this.array.volumes.values()].flatMap(({ name }) => {
      const picked = pick(name);
      return picked === undefined ? [] : [picked];
    });
  }

  async listVolumes(passes: (name: string) => boolean, signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.called('listVolumes', signal);
    return this.#select((volume) => passes(volume.name));
  }

  async volumesOfHost(hostId: HostId, signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.called('volumesOfHost', signal);
    if (!this.array.sdcs.has(hostId)) throw rejection('host-unknown', 'Could not find the SDC');
    return this.#select((volume) => volume.mappedToAllSdcs || volume.mappings.has(hostId));
  }

  async volumesOfFamily(
    { familyId }: Pick<ArrayVolume, 'familyId'>,
    signal: AbortSignal,
  ): Promise<ArrayVolume[]> {
    if (familyId === null) throw new GatewayUnavailableError('the array did not say which family this is');
    await this.called('volumesOfFamily', signal);
    return this.#select((volume) => volume.vtreeId === familyId);
  }

  async createVolume(volume: NewVolume, signal: AbortSignal): Promise<VolumeId> {
    await this.called('createVolume', signal);
    this.#assertPool(volume.pool.id);
    const { id } = this.array.add({
      name: volume.name,
      sizeKiB: roundToGrain(volume.sizeKiB),
      kind: volume.provisioning,
      storagePoolId: volume.pool.id,
      createdAtSeconds: this.seconds(),
    });
    return id;
  }

  async renameVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<void> {
    await this.called('renameVolume', signal);
    const before = this.array.existing(id).name;
    this.array.rename(id, name);
    const { content } = this.array.existing(id);
    // What others have made is adopted as it is.
    if (!before.startsWith('~') && !before.startsWith('docker-')) return;
    if (content.kind !== 'filesystem' || content.label === undefined || content.lostFound) {
      this.array.violations.push(`rule 4: "${name}" was given to a volume that is not complete`);
    }
  }

  async removeVolume(id: VolumeId, signal: AbortSignal): Promise<void> {
    await this.called('removeVolume', signal);
    this.unless(isGone, () => {
      this.array.remove(id, this.seconds());
    });
  }

  async attachVolume({ volumeId, hostId, readOnly }: AttachmentRequest, signal: AbortSignal): Promise<void> {
    await this.called('attachVolume', signal);
    if (hostId !== this.host.sdcId)
      throw new Error(`${this.host.name} maps to another host's SDC "${hostId}"`);
    if (readOnly) this.assertThird();
    this.unless(isSo, () => {
      this.array.map(volumeId, hostId, readOnly);
    });
  }

  async detachVolume(id: VolumeId, hostId: HostId, signal: AbortSignal): Promise<void> {
    await this.called('detachVolume', signal);
    if (hostId !== this.host.sdcId && !this.host.mayFence) {
      this.array.violations.push(`rule 2: ${this.host.name} took a volume from another SDC`);
    }
    this.unless(
      (cause) => isSo(cause) || isGone(cause),
      () => {
        this.array.unmap(id, hostId, this.host.sdcId);
      },
    );
  }

  async limitAttachment(
    target: { volumeId: VolumeId; hostId: HostId },
    limits: { iops?: number | undefined; bandwidthKiBps?: number | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const { iops, bandwidthKiBps } = limits;
    if (iops === undefined && bandwidthKiBps === undefined) return;
    await this.called('limitAttachment', signal);
    // The array takes no request that lifts both.
    if (iops === 0 && bandwidthKiBps === 0) await this.called('limitAttachment', signal);
    const isOk = (iops === undefined || iops === 0 || iops >= 11) && (bandwidthKiBps ?? 0) % 1024 === 0;
    if (!isOk) throw new Error(`the core asks for limits that no array takes: ${JSON.stringify(limits)}`);
    const attachment = this.array.existing(target.volumeId).mappings.get(target.hostId);
    if (attachment === undefined) throw rejection('other', 'The volume is not mapped to SDC');
    attachment.limitIops = iops ?? attachment.limitIops;
    attachment.limitBandwidthKiBps = bandwidthKiBps ?? attachment.limitBandwidthKiBps;
  }

  async growVolume(id: VolumeId, sizeKiB: number, signal: AbortSignal): Promise<void> {
    await this.called('growVolume', signal);
    this.array.grow(id, sizeKiB);
  }

  async findHost(guid: string, signal: AbortSignal): Promise<ArrayHost | undefined> {
    await this.called('findHost', signal);
    const wanted = guid.toUpperCase();
    return [...this.array.sdcs.values()].find((sdc) => sdc.guid?.toUpperCase() === wanted);
  }

  async getHost(id: HostId, signal: AbortSignal): Promise<ArrayHost | undefined> {
    await this.called('getHost', signal);
    return this.array.sdcs.get(id);
  }

  async findPool(
    wanted: { pool: string | undefined; domain: string | undefined },
    signal: AbortSignal,
  ): Promise<StoragePool> {
    await this.onceCalled('findPool', signal);
    return chosenPool([...this.array.pools.values()], wanted);
  }

  async describePool(id: PoolId, signal: AbortSignal): Promise<StoragePool | undefined> {
    await this.onceCalled('findPool', signal);
    return this.array.pools.get(id);
  }

  async poolUsage(id: PoolId, signal: AbortSignal): Promise<{ usedKiB: number; roomKiB: number }> {
    await this.called('poolUsage', signal);
    this.#assertPool(id);
    return this.array.usage;
  }

  #select(passes: (volume: ReturnType<FakeArray['existing']>) => boolean): ArrayVolume[] {
    const found: ArrayVolume[] = [];
    for (const volume of this.array.volumes.values()) {
      if (passes(volume)) found.push(this.array.describe(volume));
    }
    return found;
  }

  #assertPool(id: PoolId): void {
    if (!this.array.pools.has(id)) throw rejection('other', 'Could not find the Storage Pool');
  }
}

/** The one pool that is meant. */
function chosenPool(
  pools: readonly StoragePool[],
  { pool, domain }: { readonly pool: string | undefined; readonly domain: string | undefined },
): StoragePool {
  const isMeant = (wanted: string | undefined, ...keys: string[]): boolean =>
    wanted === undefined || keys.includes(wanted);
  const near = pools.filter(({ domainId, domainName }) => isMeant(domain, domainId, domainName));
  const found = near.filter(({ id, name }) => isMeant(pool, id, name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const candidates = [found, near, pools].find((some) => some.length > 0) ?? [];
  const names = candidates.map(({ name, domainName }) => `"${name}" in "${domainName}"`);
  throw new InvalidRequestError(`pool ${pool ?? '-'} in ${domain ?? '-'} is none of ${names.join(', ')}`);
}
