import { AuditTrail } from '../../../../src/steward/audit.ts';
import type { StewardClock } from '../../../../src/steward/ports.ts';
import { Cleaner, type CleanerRules, type CleanupArray } from '../../../../src/steward/cleanup/cleaner.ts';
import { GatewayUnavailableError } from '../../../../src/errors.ts';
import type {
  Inventory,
  MappingReading,
  SdcReading,
  VolumeReading,
} from '../../../../src/inventory/ports.ts';
import { provisionalName } from '../../../../src/volumes/naming.ts';
import type {
  ArrayVolume,
  Sdc,
  SdcId,
  StoragePoolId,
  VolumeId,
  VtreeId,
} from '../../../../src/volumes/volume.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const PREFIX = 'docker-';
/** Of the array's clock and of ours, when a scene begins. */
export const START = Date.parse('2026-01-10T00:00:00Z');
export const GUID = '11111111-1111-1111-1111-111111111111';
export const OTHER_GUID = '22222222-2222-2222-2222-222222222222';
export const NAME = provisionalName(GUID, PREFIX, '0000000a');

export const id = (number: number): VolumeId => number.toString(16).padStart(16, '0') as VolumeId;
export const sdcId = (number: number): SdcId => `5dc${number}` as SdcId;

export function sdc(number: number, change: Partial<SdcReading> = {}): SdcReading {
  return {
    id: sdcId(number),
    guid: number === 1 ? GUID : OTHER_GUID,
    name: `node-${number}`,
    ip: null,
    isConnected: number !== 1,
    isApproved: true,
    version: null,
    ...change,
  };
}

export function mapping(to: SdcId, change: Partial<MappingReading> = {}): MappingReading {
  return { sdcId: to, isSdc: true, sdcIp: null, limitIops: 0, limitBwKiBs: 0, ...change };
}

/** By default what a Create of node 1 left two days ago. */
export function volume(number: number, change: Partial<VolumeReading> = {}): VolumeReading {
  return {
    id: id(number),
    name: NAME,
    poolId: 'pool' as StoragePoolId,
    vtreeId: `vtree-${number}` as VtreeId,
    sizeKiB: 8_388_608,
    createdAt: (START - 2 * DAY) / 1000,
    isReadOnly: false,
    isSnapshot: false,
    isMappedToAll: false,
    mappings: [],
    ...change,
  };
}

/** An array in memory that does what it is told, and remembers it. */
export class MemoryArray implements Inventory, CleanupArray {
  volumes: VolumeReading[] = [];
  sdcs: SdcReading[] = [sdc(1), sdc(2)];
  readonly changes: string[] = [];
  /** What the lists leave out though it is there. */
  hidden: ReadonlySet<string> = new Set();
  failing: Partial<Record<keyof Inventory | keyof CleanupArray, Error>> = {};
  /** Happens before a single object is read. */
  beforeLook: () => void = () => undefined;

  readVolumes(): Promise<readonly VolumeReading[]> {
    return this.#answer('readVolumes', () => this.volumes.filter((found) => !this.hidden.has(found.id)));
  }

  readSdcs(): Promise<readonly SdcReading[]> {
    return this.#answer('readSdcs', () => this.sdcs.filter((found) => !this.hidden.has(found.id)));
  }

  getVolume(wanted: VolumeId): Promise<ArrayVolume | undefined> {
    this.beforeLook();
    return this.#answer('getVolume', () => {
      const found = this.volumes.find((one) => one.id === wanted);
      return found === undefined ? undefined : arrayVolume(found);
    });
  }

  getSdc(wanted: SdcId): Promise<Sdc | undefined> {
    return this.#answer('getSdc', () => {
      const found = this.sdcs.find((one) => one.id === wanted);
      if (found === undefined) return undefined;
      const { isConnected, isApproved: approved } = found;
      const state = isConnected === null ? 'unknown' : isConnected ? 'connected' : 'disconnected';
      return { ...found, state, approved, osType: null };
    });
  }

  volumesOfVtree(vtreeId: VtreeId): Promise<ArrayVolume[]> {
    return this.#answer('volumesOfVtree', () =>
      this.volumes.filter((found) => found.vtreeId === vtreeId).map(arrayVolume),
    );
  }

  removeVolume(wanted: VolumeId): Promise<void> {
    return this.#answer('removeVolume', () => {
      const found = this.volumes.find((one) => one.id === wanted);
      if (found !== undefined && found.mappings.length > 0) throw new Error('104: volume is mapped');
      this.changes.push(`remove ${wanted}`);
      this.volumes = this.volumes.filter((one) => one !== found);
    });
  }

  unmapVolume(wanted: VolumeId, from: SdcId): Promise<void> {
    return this.#answer('unmapVolume', () => {
      this.changes.push(`unmap ${wanted} ${from}`);
      this.volumes = this.volumes.map((found) =>
        found.id === wanted
          ? { ...found, mappings: found.mappings.filter((one) => one.sdcId !== from) }
          : found,
      );
    });
  }

  #answer<T>(call: keyof Inventory | keyof CleanupArray, answer: () => T): Promise<T> {
    const error = this.failing[call];
    return error === undefined ? Promise.resolve().then(answer) : Promise.reject(error);
  }
}

function arrayVolume(reading: VolumeReading): ArrayVolume {
  const { poolId, createdAt, isReadOnly, isSnapshot, isMappedToAll, mappings, ...same } = reading;
  return {
    ...same,
    kind: isSnapshot ? 'snapshot' : 'thin',
    storagePoolId: poolId,
    vtreeId: reading.vtreeId ?? ('' as VtreeId),
    ancestorId: null,
    createdAtSeconds: createdAt ?? 0,
    accessModeLimit: isReadOnly ? 'ReadOnly' : 'ReadWrite',
    mappedToAllSdcs: isMappedToAll,
    mappings: mappings.map((one) => ({
      sdcId: one.sdcId,
      sdcName: null,
      sdcIp: one.sdcIp,
      accessMode: 'ReadWrite',
      limitIops: 0,
      limitBandwidthKiBps: 0,
    })),
  };
}

export class MovedClock implements StewardClock {
  #elapsed = 0;
  #wall = START;

  now(): number {
    return this.#wall + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  sleep(): Promise<void> {
    return Promise.reject(new Error('nobody sleeps here'));
  }

  randomHex(digits: number): string {
    return '0'.repeat(digits);
  }

  advance(ms: number): void {
    this.#elapsed += ms;
  }

  jump(ms: number): void {
    this.#wall += ms;
  }
}

export const RULES: CleanerRules = {
  act: true,
  prefix: PREFIX,
  every: 10 * MINUTE,
  provisionalOlderThan: DAY,
  seenFor: HOUR,
  ofUnknownHosts: false,
  deadSdcMappings: false,
  sdcGoneFor: HOUR,
  confirm: 3,
  retryFailedAfter: HOUR,
};

/** A cleaner in front of an array in memory. */
export function scene(volumes: readonly VolumeReading[], rules: Partial<CleanerRules> = {}) {
  const clock = new MovedClock();
  const array = new MemoryArray();
  array.volumes = [...volumes];
  const silent = (): void => undefined;
  const warnings: string[] = [];
  const warn = (_: object, message: string): void => void warnings.push(message);
  const log = { debug: silent, info: silent, warn, error: silent };
  const steward = () => {
    const audit = new AuditTrail({ clock, log });
    const cleaner = new Cleaner({ inventory: array, array, clock, audit, log }, { ...RULES, ...rules });
    return { cleaner, audit };
  };
  const { cleaner, audit } = steward();
  return {
    clock,
    array,
    cleaner,
    audit,
    steward,
    warnings,
    /** Rounds ten minutes apart. */
    rounds: async (count: number, one: Cleaner = cleaner) => {
      for (let round = 0; round < count; round += 1) {
        await one.round(AbortSignal.timeout(5000));
        clock.advance(10 * MINUTE);
      }
    },
    outcomes: () => audit.last.map(({ action, outcome }) => `${action} ${outcome}`),
    states: () => cleaner.status.findings.map(({ state }) => state),
  };
}

export function away(): GatewayUnavailableError {
  return new GatewayUnavailableError('no gateway answers');
}
