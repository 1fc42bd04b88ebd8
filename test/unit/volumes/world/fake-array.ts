import { createHash } from 'node:crypto';
import { GatewayRejectedError, type Refusal } from '../../../../src/errors.ts';
import type { ArrayCapabilities } from '../../../../src/array/system.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { SnapshotPolicy } from '../../../../src/array/copies.ts';
import type {
  FamilyId,
  HostId,
  PolicyId,
  PoolId,
  SnapshotGroupId,
  VolumeId,
} from '../../../../src/array/ids.ts';
import type { StoragePool } from '../../../../src/array/pool.ts';
import type { AccessMode, ArrayVolume, Provisioning } from '../../../../src/array/volume.ts';
import type { Content } from './content.ts';

const GRAIN_KIB = 8 * 1024 * 1024;

export interface StoredMapping {
  accessMode: AccessMode;
  limitIops: number;
  limitBandwidthKiBps: number;
}

export interface StoredVolume {
  readonly id: VolumeId;
  name: string;
  sizeKiB: number;
  readonly kind: Provisioning | 'snapshot';
  readonly storagePoolId: PoolId;
  readonly vtreeId: FamilyId;
  readonly ancestorId: VolumeId | null;
  readonly createdAtSeconds: number;
  accessModeLimit: AccessMode;
  readonly groupId: SnapshotGroupId | null;
  /** Seconds since 1970; 0: not secured. */
  secureUntilSeconds: number;
  policyId: PolicyId | null;
  readonly mappings: Map<HostId, StoredMapping>;
  mappedToAllSdcs: boolean;
  /** Whoever mapped it first let others map it, too, which holds until nobody has it. */
  isShared: boolean;
  /** What the statistics say. */
  recentIo: number;
  content: Content;
}

/** A host as the array reaches it: its devices come and go with the mappings. */
export interface MappingListener {
  attached(volume: StoredVolume): void;
  /** isFence: another host did it, so whatever uses the device loses it. */
  detached(volume: StoredVolume, isFence: boolean): void;
  /** Its content is another one now, which the host does not hear of. */
  overwritten(volume: StoredVolume): void;
}

export interface ActualFence {
  readonly by: HostId;
  readonly from: HostId;
  readonly volume: StoredVolume;
  readonly wasConnected: boolean;
}

/** State and rules of the array (the MDM), one for all hosts. Its methods happen at once; the gateway adds the waiting. */
export class FakeArray {
  readonly systemId = '5dbca7b1ad4b0a0f';
  version = '3.6';

  get capabilities(): ArrayCapabilities {
    const isThird = Number.parseInt(this.version, 10) >= 3;
    return {
      grainKiB: GRAIN_KIB,
      readOnlyLimit: isThird,
      secureSnapshots: isThird,
      snapshotPolicies: isThird,
    };
  }

  /** Of every pool. */
  usage = { usedKiB: 0, roomKiB: 1024 ** 3 };
  readonly volumes = new Map<VolumeId, StoredVolume>();
  readonly sdcs = new Map<HostId, ArrayHost>();
  readonly pools = new Map<PoolId, StoragePool>();
  readonly policies = new Map<PolicyId, SnapshotPolicy>();
  readonly listeners = new Map<HostId, MappingListener>();
  /** What somebody did that no rule allows. */
  readonly violations: string[] = [];
  /** Every mapping that somebody took from another SDC. */
  readonly fences: ActualFence[] = [];
  /** True: the array answers that it unmapped from another SDC, and did not. */
  keepsMappings = false;
  /** Ids that the array answers to look-ups by these names, whatever bears them. */
  readonly wrongIds = new Map<string, VolumeId>();
  readonly #idByName = new Map<string, VolumeId>();
  readonly #made = new Map<string, number>();

  isConnected(hostId: HostId): boolean {
    return this.sdcs.get(hostId)?.state === 'connected';
  }

  /** What the MDM notices when a host dies, is cut off, or comes back. */
  setConnected(hostId: HostId, connected: boolean): void {
    const sdc = this.sdcs.get(hostId);
    if (sdc !== undefined) this.sdcs.set(hostId, { ...sdc, state: connected ? 'connected' : 'disconnected' });
  }

  byName(name: string): StoredVolume | undefined {
    const id = this.#idByName.get(name);
    return id === undefined ? undefined : this.volumes.get(id);
  }

  named(name: string): StoredVolume {
    const volume = this.byName(name);
    if (volume === undefined) throw new Error(`test expects a volume "${name}" on the array`);
    return volume;
  }

  add(
    volume: Partial<StoredVolume> & { name: string; storagePoolId: PoolId; createdAtSeconds: number },
  ): StoredVolume {
    if (this.#idByName.has(volume.name)) throw rejection('name-in-use', 'Volume name already in use');
    const suffix = volume.id === undefined ? this.suffixFor(volume.name) : volume.id.slice(8);
    const stored: StoredVolume = {
      id: `a1b2c3d4${suffix}` as VolumeId,
      sizeKiB: GRAIN_KIB,
      kind: 'thin',
      vtreeId: `e5f6a7b8${suffix}` as FamilyId,
      ancestorId: null,
      accessModeLimit: 'ReadWrite',
      groupId: null,
      secureUntilSeconds: 0,
      policyId: null,
      mappings: new Map(),
      mappedToAllSdcs: false,
      isShared: false,
      recentIo: 0,
      content: { kind: 'blank' },
      ...volume,
    };
    this.volumes.set(stored.id, stored);
    this.#idByName.set(stored.name, stored.id);
    return stored;
  }

  /** From the name, so that the order in which hosts create does not change it. */
  suffixFor(name: string): string {
    const count = (this.#made.get(name) ?? 0) + 1;
    this.#made.set(name, count);
    return createHash('sha1').update(`${name} ${count}`).digest('hex').slice(0, 8);
  }

  rename(id: VolumeId, name: string): void {
    const volume = this.existing(id);
    if (volume.name === name) return;
    if (this.#idByName.has(name)) throw rejection('name-in-use', 'Volume name already in use');
    this.#idByName.delete(volume.name);
    this.#idByName.set(name, id);
    volume.name = name;
  }

  /** Whoever does not say what time it is may also remove what is secured. */
  remove(id: VolumeId, nowSeconds = Infinity): void {
    const volume = this.existing(id);
    if (volume.mappings.size > 0 || volume.mappedToAllSdcs)
      throw rejection('still-attached', 'Volume is mapped');
    if (volume.policyId !== null)
      throw rejection('policy-source', 'Volume is a source-volume of a Snapshot Policy');
    if (volume.secureUntilSeconds > nowSeconds) throw rejection('locked', 'the snapshot is secured');
    this.volumes.delete(id);
    this.#idByName.delete(volume.name);
  }

  snapshot(
    id: VolumeId,
    name: string,
    createdAtSeconds: number,
    more: Partial<Pick<StoredVolume, 'groupId' | 'accessModeLimit' | 'secureUntilSeconds'>> = {},
  ): StoredVolume {
    const { sizeKiB, storagePoolId, vtreeId, content } = this.existing(id);
    return this.add({
      name,
      sizeKiB,
      kind: 'snapshot',
      storagePoolId,
      vtreeId,
      ancestorId: id,
      createdAtSeconds,
      content: this.#asOfNow(id, content),
      ...more,
    });
  }

  /** What lies on the array at one instant: who has it writable has not unmounted it. */
  #asOfNow(id: VolumeId, content: Content): Content {
    const copy = structuredClone(content);
    if (copy.kind === 'filesystem') copy.dirty ||= this.existing(id).mappings.size > 0;
    return copy;
  }

  map(id: VolumeId, hostId: HostId, many: boolean): void {
    const volume = this.existing(id);
    if (!this.sdcs.has(hostId)) throw rejection('host-unknown', 'Could not find the SDC');
    if (volume.mappedToAllSdcs)
      throw rejection(many ? 'other' : 'held-by-another', 'The volume is already mapped to all SDCs');
    const isHere = volume.mappings.has(hostId);
    if (isHere && (many || volume.mappings.size === 1))
      throw new IsSoError('The volume is already mapped to this SDC');
    if (isHere || (volume.mappings.size > 0 && !many && !volume.isShared))
      throw rejection('held-by-another', 'Only a single SDC may be mapped to this volume at a time');
    if (many && volume.accessModeLimit !== 'ReadOnly') {
      this.violations.push(`rule 1: writable volume "${volume.name}" mapped with multiple mappings allowed`);
    }
    volume.isShared = volume.mappings.size === 0 ? many : volume.isShared || many;
    volume.mappings.set(hostId, {
      accessMode: volume.accessModeLimit,
      limitIops: 0,
      limitBandwidthKiBps: 0,
    });
    this.listeners.get(hostId)?.attached(volume);
  }

  unmap(id: VolumeId, hostId: HostId, by: HostId = hostId): void {
    const volume = this.existing(id);
    if (!volume.mappings.has(hostId)) throw new IsSoError('The volume is not mapped to SDC');
    if (by !== hostId && this.keepsMappings) return;
    if (by !== hostId) this.fences.push({ by, from: hostId, volume, wasConnected: this.isConnected(hostId) });
    this.listeners.get(hostId)?.detached(volume, by !== hostId);
    volume.mappings.delete(hostId);
  }

  grow(id: VolumeId, sizeKiB: number): void {
    const volume = this.existing(id);
    if (sizeKiB % GRAIN_KIB !== 0) throw rejection('other', 'sizeInGB should be divisible by 8');
    if (sizeKiB < volume.sizeKiB) throw rejection('other', 'Volume capacity can only be increased');
    volume.sizeKiB = sizeKiB;
  }

  limitAccess(id: VolumeId, mode: AccessMode): void {
    const volume = this.existing(id);
    volume.accessModeLimit = mode;
    for (const mapping of volume.mappings.values()) mapping.accessMode = mode;
  }

  existing(id: VolumeId): StoredVolume {
    const volume = this.volumes.get(id);
    if (volume === undefined) throw rejection('volume-unknown', 'Could not find the volume');
    return volume;
  }

  /** The volume as a reply holds it: a copy. */
  describe(volume: StoredVolume): ArrayVolume {
    const { id, name, sizeKiB, kind, storagePoolId, vtreeId, ancestorId } = volume;
    const { createdAtSeconds, accessModeLimit, mappedToAllSdcs, groupId, policyId } = volume;
    return {
      id,
      name,
      sizeKiB,
      kind,
      poolId: storagePoolId,
      familyId: vtreeId,
      ancestorId,
      createdAtSeconds: createdAtSeconds === 0 ? null : createdAtSeconds,
      accessModeLimit,
      groupId,
      secureUntilSeconds: volume.secureUntilSeconds === 0 ? null : volume.secureUntilSeconds,
      policyId,
      madeByPolicy: false,
      attachedToAll: mappedToAllSdcs,
      attachments: [...volume.mappings].map(([sdcId, mapping]) => {
        const sdc = this.sdcs.get(sdcId);
        return {
          hostId: sdcId,
          hostKind: sdc?.kind ?? 'sdc',
          hostName: sdc?.name ?? null,
          hostAddress: sdc?.address ?? null,
          ...mapping,
        };
      }),
    };
  }

  /** Everything on the array that a later call could see, as text. */
  get fingerprint(): string {
    const sorted = [...this.volumes.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const volumes = sorted.map((volume) => [
      this.describe(volume),
      volume.content.kind,
      volume.content.kind === 'filesystem' ? volume.content.label?.name : '',
    ]);
    return JSON.stringify([volumes, [...this.sdcs.values()].map(({ state }) => state)]);
  }
}

/** What was asked for is so already, which the port calls success. */
export class IsSoError extends GatewayRejectedError {
  constructor(message: string) {
    super(message, { refusal: 'other' });
  }
}

export function rejection(refusal: Refusal, message: string): GatewayRejectedError {
  return new GatewayRejectedError(message, { refusal });
}

export function roundToGrain(sizeKiB: number): number {
  return Math.ceil(sizeKiB / GRAIN_KIB) * GRAIN_KIB;
}
