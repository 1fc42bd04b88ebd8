import type { RoomView } from '../../../../src/steward/page/detail-data.ts';
import type { RoomOf } from '../../../../src/steward/page/volume-details.ts';
import type { StewardSnapshot } from '../../../../src/steward/steward.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { FamilyId, HostId, PoolId, VolumeId } from '../../../../src/array/ids.ts';
import type { Inventory, StorageArray } from '../../../../src/array/storage-array.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';

const GIB = 1024 ** 2;
export const POOL = 'pool1' as PoolId;
export const START = Date.parse('2026-01-01T00:00:00Z');

/** A volume "docker-<name>", mapped to the SDCs of these hosts. */
export function volume(
  name: string,
  holders: readonly string[] = [],
  more: Partial<ArrayVolume> = {},
): ArrayVolume {
  return {
    id: `id of ${name}` as VolumeId,
    name: `docker-${name}`,
    poolId: POOL,
    familyId: 'vtree' as FamilyId,
    sizeKiB: 8 * GIB,
    createdAtSeconds: START / 1000,
    kind: 'thin',
    ancestorId: null,
    accessModeLimit: 'ReadWrite',
    groupId: null,
    secureUntilSeconds: null,
    policyId: null,
    madeByPolicy: false,
    attachedToAll: false,
    attachments: holders.map((host) => ({
      hostId: sdcId(host),
      hostKind: 'sdc',
      hostName: null,
      hostAddress: null,
      accessMode: 'ReadWrite',
      limitIops: 0,
      limitBandwidthKiBps: 0,
    })),
    ...more,
  };
}

/** The SDC of a host, connected unless told otherwise. */
export function sdc(host: string, more: Partial<ArrayHost> = {}): ArrayHost {
  return {
    id: sdcId(host),
    guid: `GUID-${host}`,
    name: host,
    address: `10.0.0.${host.at(-1) ?? ''}`,
    kind: 'sdc',
    addresses: [],
    approvedAddresses: [],
    osType: null,
    state: 'connected',
    isApproved: true,
    version: 'R3_6.0.0',
    ...more,
  };
}

export function sdcId(host: string): HostId {
  return `sdc of ${host}` as HostId;
}

/** An array whose answers a test sets. */
export class FakeInventory implements Inventory {
  volumes: readonly ArrayVolume[] = [];
  hosts: readonly ArrayHost[] = [];
  /** What both readings reject with. */
  failure: Error | undefined;
  readings = 0;
  /** Happens during each reading. */
  during: () => void = () => undefined;

  readVolumes: Inventory['readVolumes'] = () => {
    this.readings += 1;
    this.during();
    return this.failure === undefined ? Promise.resolve(this.volumes) : Promise.reject(this.failure);
  };

  readHosts(): Promise<readonly ArrayHost[]> {
    return this.failure === undefined ? Promise.resolve(this.hosts) : Promise.reject(this.failure);
  }
}

/** What the array says of families of volumes; a test sets it. */
export class FakeFamilies implements Pick<StorageArray, 'volumesOfFamily' | 'usageOfFamilies' | 'ioOf'> {
  family: ArrayVolume[] = [];
  /** What both calls reject with. */
  failure: Error | undefined;
  calls = 0;

  ioOf: StorageArray['ioOf'] = () => Promise.resolve(new Map());

  volumesOfFamily: StorageArray['volumesOfFamily'] = () => this.#said(this.family);

  usageOfFamilies: StorageArray['usageOfFamilies'] = ([familyId]) =>
    this.#said(
      new Map(
        familyId === undefined
          ? []
          : [[familyId, { familyId, baseKiB: 4 * GIB, snapshotsKiB: GIB }] as const],
      ),
    );

  #said<T>(answer: T): Promise<T> {
    this.calls += 1;
    return this.failure === undefined ? Promise.resolve(answer) : Promise.reject(this.failure);
  }
}

/** Time that a test lets pass: whoever sleeps waits for it. */
export class FakeClock {
  #elapsed = 0;
  readonly #sleepers = new Set<{ readonly until: number; wake: () => void }>();

  now(): number {
    return START + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** Passes without anybody waking up. */
  take(ms: number): void {
    this.#elapsed += ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = {
        until: this.#elapsed + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(new Error('aborted'));
      };
      if (signal.aborted) onAbort();
      else {
        this.#sleepers.add(sleeper);
        signal.addEventListener('abort', onAbort);
      }
    });
  }

  /** Lets ms pass, and whoever then wakes up do what can be done at once. */
  async pass(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await turn();
    for (;;) {
      const [next] = [...this.#sleepers].sort((one, other) => one.until - other.until);
      if (next === undefined || next.until > end) break;
      this.#elapsed = Math.max(this.#elapsed, next.until);
      next.wake();
      await turn();
    }
    this.#elapsed = Math.max(this.#elapsed, end);
  }
}

/** Everything that is ready to run has run. */
export async function turn(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A steward that has read one pool. */
export function snapshot(more: Partial<StewardSnapshot> = {}): StewardSnapshot {
  const capacity = {
    limitKiB: 12_000 * GIB,
    spareKiB: 1200 * GIB,
    usedKiB: 5400 * GIB,
    unusedKiB: 5400 * GIB,
    thinCommittedKiB: 9000 * GIB,
    failedKiB: 0,
    degradedKiB: 0,
    inMaintenanceKiB: 0,
    unreachableKiB: 0,
    rebuildKiB: 0,
    rebalanceKiB: 0,
  };
  return {
    acts: false,
    readAt: new Date(START).toISOString(),
    ageMs: 1000,
    reachable: true,
    failure: null,
    systemId: 'sys1',
    systemName: 'array one',
    pools: [
      {
        reading: {
          id: POOL,
          name: 'sp1',
          domainId: 'domain',
          domainName: 'pd1',
          rebalanceEnabled: true,
          capacity,
        },
        usedPercent: 50,
        level: 'ok',
        contradiction: undefined,
        health: { impaired: false, rebuilding: false, rebalancing: false },
        forecast: { kind: 'full', inMs: 86_400_000, kibPerDay: GIB },
        history: [{ elapsedMs: 0, usedKiB: 5400 * GIB }],
        rebuild: undefined,
        rebalance: undefined,
        devices: 3,
        watched: { warn: 80, critical: 90 },
        growth: null,
      },
    ],
    sdss: [],
    devices: [],
    problems: [],
    cleanup: null,
    audit: [],
    news: [],
    ...more,
  };
}

/** Says nothing. */
export const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A host that has a volume says always this. */
export const ROOM: RoomView = { kind: 'known', sizeKiB: 100, usedKiB: 40, availableKiB: 55 };

export const roomOf: RoomOf = ({ attachments }) =>
  Promise.resolve(attachments.length > 0 ? ROOM : { kind: 'unknown', why: 'nobody has it attached' });
