import { AuditTrail } from '../../../../src/steward/audit.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { FamilyId, HostId, PoolId, VolumeId } from '../../../../src/array/ids.ts';
import type { Inventory } from '../../../../src/array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../../../src/array/volume.ts';
import type { Clock } from '../../../../src/runtime/clock.ts';
import { Cleaner, type CleanerRules, type CleanupArray } from '../../../../src/steward/cleanup/cleaner.ts';
import { GatewayUnavailableError } from '../../../../src/errors.ts';
import { provisionalName } from '../../../../src/volumes/naming.ts';

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
export const hostId = (number: number): HostId => `5dc${number}` as HostId;

export function sdc(number: number, change: Partial<ArrayHost> = {}): ArrayHost {
  return {
    id: hostId(number),
    guid: number === 1 ? GUID : OTHER_GUID,
    name: `node-${number}`,
    address: null,
    kind: 'sdc',
    addresses: [],
    approvedAddresses: [],
    osType: null,
    state: number === 1 ? 'disconnected' : 'connected',
    isApproved: true,
    version: null,
    ...change,
  };
}

export function mapping(to: HostId, change: Partial<Attachment> = {}): Attachment {
  return {
    hostId: to,
    hostKind: 'sdc',
    hostName: null,
    hostAddress: null,
    accessMode: 'ReadWrite',
    limitIops: 0,
    limitBandwidthKiBps: 0,
    ...change,
  };
}

/** By default what a Create of node 1 left two days ago. */
export function volume(number: number, change: Partial<ArrayVolume> = {}): ArrayVolume {
  return {
    id: id(number),
    name: NAME,
    poolId: 'pool' as PoolId,
    familyId: `vtree-${number}` as FamilyId,
    sizeKiB: 8_388_608,
    createdAtSeconds: (START - 2 * DAY) / 1000,
    kind: 'thin',
    ancestorId: null,
    accessModeLimit: 'ReadWrite',
    groupId: null,
    secureUntilSeconds: null,
    policyId: null,
    madeByPolicy: false,
    attachedToAll: false,
    attachments: [],
    ...change,
  };
}

/** An array in memory that does what it is told, and remembers it. */
export class MemoryArray implements Inventory, CleanupArray {
  volumes: ArrayVolume[] = [];
  hosts: ArrayHost[] = [sdc(1), sdc(2)];
  readonly changes: string[] = [];
  /** What the lists leave out though it is there. */
  hidden: ReadonlySet<string> = new Set();
  failing: Partial<Record<keyof Inventory | keyof CleanupArray, Error>> = {};
  /** Happens before a single object is read. */
  beforeLook: () => void = () => undefined;

  readVolumes(): Promise<readonly ArrayVolume[]> {
    return this.#answer('readVolumes', () => this.volumes.filter((found) => !this.hidden.has(found.id)));
  }

  readHosts(): Promise<readonly ArrayHost[]> {
    return this.#answer('readHosts', () => this.hosts.filter((found) => !this.hidden.has(found.id)));
  }

  getVolume(wanted: VolumeId): Promise<ArrayVolume | undefined> {
    this.beforeLook();
    return this.#answer('getVolume', () => this.volumes.find((one) => one.id === wanted));
  }

  getHost(wanted: HostId): Promise<ArrayHost | undefined> {
    return this.#answer('getHost', () => this.hosts.find((one) => one.id === wanted));
  }

  volumesOfFamily({ familyId }: Pick<ArrayVolume, 'familyId'>): Promise<ArrayVolume[]> {
    return this.#answer('volumesOfFamily', () => this.volumes.filter((one) => one.familyId === familyId));
  }

  removeVolume(wanted: VolumeId): Promise<void> {
    return this.#answer('removeVolume', () => {
      const found = this.volumes.find((one) => one.id === wanted);
      if (found !== undefined && found.attachments.length > 0) throw new Error('104: volume is mapped');
      this.changes.push(`remove ${wanted}`);
      this.volumes = this.volumes.filter((one) => one !== found);
    });
  }

  detachVolume(wanted: VolumeId, from: HostId): Promise<void> {
    return this.#answer('detachVolume', () => {
      this.changes.push(`unmap ${wanted} ${from}`);
      this.volumes = this.volumes.map((found) =>
        found.id === wanted
          ? { ...found, attachments: found.attachments.filter((one) => one.hostId !== from) }
          : found,
      );
    });
  }

  #answer<T>(call: keyof Inventory | keyof CleanupArray, answer: () => T): Promise<T> {
    const error = this.failing[call];
    return error === undefined ? Promise.resolve().then(answer) : Promise.reject(error);
  }
}

export class MovedClock implements Clock {
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
export function scene(volumes: readonly ArrayVolume[], rules: Partial<CleanerRules> = {}) {
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
