import {
  CancelledError,
  GatewayRejectedError,
  GatewayUnavailableError,
  InvalidRequestError,
} from '../../../../src/errors.ts';
import type {
  ArrayIdentity,
  MappingRequest,
  NewVolume,
  StorageArray,
} from '../../../../src/volumes/ports.ts';
import type {
  ArrayName,
  ArrayVolume,
  Sdc,
  SdcId,
  StoragePool,
  StoragePoolId,
  SystemId,
  VolumeId,
  VtreeId,
} from '../../../../src/volumes/volume.ts';
import { roundToGrain, type FakeArray } from './fake-array.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The array as one life of one host's plugin reaches it; counts what would be calls to a real gateway. */
export class FakeGateway implements StorageArray {
  /** Gateway calls by method since the last reset. */
  readonly calls = new Map<string, number>();
  readonly #array: FakeArray;
  readonly #clock: VirtualClock;
  readonly #host: {
    readonly sdcId: SdcId;
    readonly name: string;
    readonly mayFence: boolean;
    gatewayUp: boolean;
  };
  readonly #cached = new Set<string>();

  constructor(
    array: FakeArray,
    clock: VirtualClock,
    host: { readonly sdcId: SdcId; readonly name: string; readonly mayFence: boolean; gatewayUp: boolean },
  ) {
    this.#array = array;
    this.#clock = clock;
    this.#host = host;
  }

  get totalCalls(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  async identity(signal: AbortSignal): Promise<ArrayIdentity> {
    await this.#onceCalled('identity', signal);
    return { systemId: this.#array.systemId as SystemId, name: null, version: this.#array.version };
  }

  async findVolumeId(name: ArrayName, signal: AbortSignal): Promise<VolumeId | undefined> {
    await this.#called('findVolumeId', signal);
    return this.#array.wrongIds.get(name) ?? this.#array.byName(name)?.id;
  }

  async getVolume(id: VolumeId, signal: AbortSignal): Promise<ArrayVolume | undefined> {
    await this.#called('getVolume', signal);
    const volume = this.#array.volumes.get(id);
    return volume === undefined ? undefined : this.#array.describe(volume);
  }

  async getVolumes(ids: readonly VolumeId[], signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.#called('getVolumes', signal);
    const found = ids.flatMap((id) => this.#array.volumes.get(id) ?? []);
    // The array refuses the whole query when one is gone: asked again without it.
    if (found.length < ids.length) await this.#called('getVolumes', signal);
    return found.map((volume) => this.#array.describe(volume));
  }

  async listVolumeNames<T>(pick: (name: string) => T | undefined, signal: AbortSignal): Promise<T[]> {
    await this.#called('listVolumeNames', signal);
    return [...this.#array.volumes.values()].flatMap(({ name }) => {
      const picked = pick(name);
      return picked === undefined ? [] : [picked];
    });
  }

  async listVolumes(passes: (name: string) => boolean, signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.#called('listVolumes', signal);
    return this.#select((volume) => passes(volume.name));
  }

  async volumesOfSdc(sdcId: SdcId, signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.#called('volumesOfSdc', signal);
    return this.#select((volume) => volume.mappings.has(sdcId));
  }

  async recentIo(id: VolumeId, signal: AbortSignal): Promise<number> {
    await this.#called('recentIo', signal);
    return this.#array.existing(id).recentIo;
  }

  async volumesOfVtree(vtreeId: VtreeId, signal: AbortSignal): Promise<ArrayVolume[]> {
    await this.#called('volumesOfVtree', signal);
    return this.#select((volume) => volume.vtreeId === vtreeId);
  }

  async createVolume(volume: NewVolume, signal: AbortSignal): Promise<VolumeId> {
    await this.#called('createVolume', signal);
    const { id } = this.#array.add({
      name: volume.name,
      sizeKiB: roundToGrain(volume.sizeKiB),
      kind: volume.provisioning,
      storagePoolId: volume.pool.id,
      createdAtSeconds: Math.floor(this.#clock.now() / 1000),
    });
    return id;
  }

  async renameVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<void> {
    await this.#called('renameVolume', signal);
    this.#array.rename(id, name);
    const { content } = this.#array.existing(id);
    if (content.kind !== 'filesystem' || content.label === undefined || content.lostFound) {
      this.#array.violations.push(`rule 4: "${name}" was given to a volume that is not complete`);
    }
  }

  async removeVolume(id: VolumeId, signal: AbortSignal): Promise<void> {
    await this.#called('removeVolume', signal);
    this.#unless(79, () => {
      this.#array.remove(id);
    });
  }

  async mapVolume({ volumeId, sdcId, readOnly }: MappingRequest, signal: AbortSignal): Promise<void> {
    await this.#called('mapVolume', signal);
    if (sdcId !== this.#host.sdcId)
      throw new Error(`${this.#host.name} maps to another host's SDC "${sdcId}"`);
    this.#unless(81, () => {
      this.#array.map(volumeId, sdcId, readOnly);
    });
  }

  async unmapVolume(id: VolumeId, sdcId: SdcId, signal: AbortSignal): Promise<void> {
    await this.#called('unmapVolume', signal);
    if (sdcId !== this.#host.sdcId && !this.#host.mayFence) {
      this.#array.violations.push(`rule 2: ${this.#host.name} took a volume from another SDC`);
    }
    this.#unless(84, () => {
      this.#unless(79, () => {
        this.#array.unmap(id, sdcId, this.#host.sdcId);
      });
    });
  }

  async limitMapping(
    target: { volumeId: VolumeId; sdcId: SdcId },
    limits: { iops: number; bandwidthKiBps: number },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#called('limitMapping', signal);
    const { iops, bandwidthKiBps } = limits;
    const isOk = (iops === 0 || iops >= 11) && bandwidthKiBps % 1024 === 0 && iops + bandwidthKiBps > 0;
    if (!isOk) throw new Error(`the core asks for limits that no array takes: ${JSON.stringify(limits)}`);
    const mapping = this.#array.existing(target.volumeId).mappings.get(target.sdcId);
    if (mapping === undefined) throw this.#refusal(84, 'The volume is not mapped to SDC');
    mapping.limitIops = iops;
    mapping.limitBandwidthKiBps = bandwidthKiBps;
  }

  async limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void> {
    await this.#called('limitToReadOnly', signal);
    if (this.#array.version.startsWith('2')) throw new InvalidRequestError('2.x knows no access mode limit');
    this.#array.existing(id).accessModeLimit = 'ReadOnly';
  }

  async snapshotVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId> {
    await this.#called('snapshotVolume', signal);
    return this.#array.snapshot(id, name, Math.floor(this.#clock.now() / 1000)).id;
  }

  async growVolume(id: VolumeId, sizeKiB: number, signal: AbortSignal): Promise<void> {
    await this.#called('growVolume', signal);
    this.#array.grow(id, sizeKiB);
  }

  async findSdcByGuid(guid: string, signal: AbortSignal): Promise<Sdc | undefined> {
    await this.#called('findSdcByGuid', signal);
    return [...this.#array.sdcs.values()].find((sdc) => sdc.guid === guid);
  }

  async getSdc(id: SdcId, signal: AbortSignal): Promise<Sdc | undefined> {
    await this.#called('getSdc', signal);
    return this.#array.sdcs.get(id);
  }

  async findPool(
    wanted: { pool: string | undefined; domain: string | undefined },
    signal: AbortSignal,
  ): Promise<StoragePool> {
    await this.#onceCalled('findPool', signal);
    const found = [...this.#array.pools.values()].filter(
      ({ id, name }) => wanted.pool === undefined || wanted.pool === id || wanted.pool === name,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) throw new InvalidRequestError(`pool ${String(wanted.pool)}?`);
    return only;
  }

  async describePool(id: StoragePoolId, signal: AbortSignal): Promise<StoragePool | undefined> {
    await this.#onceCalled('findPool', signal);
    return this.#array.pools.get(id);
  }

  async poolUsage(_: StoragePoolId, signal: AbortSignal): Promise<{ usedKiB: number; roomKiB: number }> {
    await this.#called('poolUsage', signal);
    return this.#array.usage;
  }

  #select(passes: (volume: ReturnType<FakeArray['existing']>) => boolean): ArrayVolume[] {
    const found: ArrayVolume[] = [];
    for (const volume of this.#array.volumes.values()) {
      if (passes(volume)) found.push(this.#array.describe(volume));
    }
    return found;
  }

  #called(method: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new CancelledError(`${method} was cancelled`));
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    if (!this.#host.gatewayUp) return Promise.reject(new GatewayUnavailableError(`no gateway for ${method}`));
    return Promise.resolve();
  }

  async #onceCalled(method: string, signal: AbortSignal): Promise<void> {
    if (this.#cached.has(method)) return;
    await this.#called(method, signal);
    this.#cached.add(method);
  }

  /** The port promises success for this one refusal. */
  #unless(arrayCode: number, effect: () => void): void {
    try {
      effect();
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError) || cause.arrayCode !== arrayCode) throw cause;
    }
  }

  #refusal(arrayCode: number, message: string): GatewayRejectedError {
    return new GatewayRejectedError(message, { arrayCode, httpStatus: 500 });
  }
}
