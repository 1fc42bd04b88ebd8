import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Fences } from '../hosts/volume-fences.ts';
import { Contents, type Revert } from './contents.ts';
import { HostView } from '../hosts/host-view.ts';
import { IoCounters } from '../hosts/io-counters.ts';
import { SdcConnections } from '../hosts/sdc-connections.ts';
import { VolumeFiles } from '../hosts/volume-files.ts';
import { ArrayError } from '../mdm/failures.ts';
import { limitsOf, type Cluster } from '../mdm/cluster.ts';
import { layOut } from '../mdm/layout.ts';
import { isSettled, settleMovements } from '../mdm/movements.ts';
import type { VolumeRecord } from '../mdm/records.ts';
import { isApproved } from '../mdm/sdcs.ts';
import { duePolicies, noteFailedRound, takePolicyRound } from '../mdm/policy-rounds.ts';
import { finishCopy, type Overwrite } from '../mdm/snapshots.ts';
import type { Change } from '../mdm/table.ts';
import type { Settings } from '../settings.ts';
import { StateStore } from '../store/state-store.ts';
import type { DeviceFault } from '../sdc-protocol.ts';

const MEASURE_EVERY_MS = 500;
/** How often it looks whether a policy's time has come while nobody asks. */
const SETTLE_EVERY_MS = 1000;

interface Parts {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly cluster: Cluster;
  readonly files: VolumeFiles;
  readonly fences: Fences;
  readonly hosts: HostView;
  readonly connections: SdcConnections;
  readonly io: IoCounters;
  readonly elapsed: () => number;
}

export interface ArrayOptions {
  readonly dir: string;
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since some moment; only ever grows. */
  readonly elapsed: () => number;
  readonly deviceFaultOf: (volumeId: string) => DeviceFault | undefined;
}

/**
 * The simulated array behind its gateways: the MDM's state, the volumes' data, and the hosts' SDCs. A change is
 * answered only when it is saved and when every host that it concerns has done its part.
 */
export class SimulatedArray {
  readonly settings: Settings;
  readonly cluster: Cluster;
  readonly connections: SdcConnections;
  readonly hosts: HostView;
  readonly io: IoCounters;
  readonly files: VolumeFiles;
  readonly #store: StateStore;
  readonly #contents: Contents;
  #ticking: NodeJS.Timeout | undefined;
  readonly #elapsed: () => number;
  #measured: { readonly at: number; readonly done: Promise<void> } | undefined;

  private constructor(parts: Parts) {
    this.settings = parts.settings;
    this.cluster = parts.cluster;
    this.connections = parts.connections;
    this.hosts = parts.hosts;
    this.io = parts.io;
    this.files = parts.files;
    this.#store = parts.store;
    this.#elapsed = parts.elapsed;
    const { cluster, files, fences } = parts;
    this.#contents = new Contents({
      cluster,
      files,
      fences,
      perform: (operation) => this.perform(operation),
    });
  }

  /** Opens the array of a folder, or sets a new one up there. */
  static async open(options: ArrayOptions): Promise<SimulatedArray> {
    const { dir, settings, now, elapsed } = options;
    const { durability, journalBytes } = settings;
    const store = await StateStore.open({ dir: join(dir, 'mdm'), durability, journalBytes });
    const { state } = store;
    await dropHalfCopied(store);
    const known = {
      exists: (id: string) => state.volumes.get(id) !== undefined,
      takesStaged: (id: string) => state.volumes.get(id)?.takesStaged === true,
    };
    const files = await VolumeFiles.open(join(dir, 'volumes'), known, durability);
    const fences = await Fences.open(join(dir, 'fence'));
    const connections = new SdcConnections();
    const cluster: Cluster = {
      state,
      version: settings.version,
      limits: { ...limitsOf(settings.version), ...definedOf(settings.limits) },
      movementKiBPerSecond: settings.movementKiBPerSecond,
      now,
      isConnected: (sdcId) => connections.isConnected(sdcId),
      writtenKiB: (volumeId) => files.writtenKiB(volumeId),
      hasFile: (volumeId) => files.has(volumeId),
      writtenVolumes: () => files.present(),
    };
    if (state.systems.size === 0)
      await store.transact(() => {
        setUp(cluster, settings);
      }).saved;
    const { releaseTimeoutMs } = settings;
    const { deviceFaultOf } = options;
    const parts = { cluster, fences, files, connections, releaseTimeoutMs, deviceFaultOf, durability };
    const hosts = new HostView(parts);
    await hosts.restore();
    const io = new IoCounters(elapsed, settings.ioWindowSeconds * 1000);
    const array = new SimulatedArray({
      settings,
      store,
      cluster,
      files,
      fences,
      hosts,
      connections,
      io,
      elapsed,
    });
    await array.#contents.finish();
    array.#ticking = setInterval(() => void array.settle(), SETTLE_EVERY_MS).unref();
    return array;
  }

  /** Runs an operation of the MDM. Resolves with its result when it is saved and the hosts have followed. */
  async perform<T>(operation: (cluster: Cluster) => T): Promise<T> {
    const { result, changes, saved } = this.#store.transact(() => operation(this.cluster));
    await saved;
    await this.#follow(changes);
    return result;
  }

  /** Brings the sizes of written data up to date, at most twice a second however many ask. */
  async measure(): Promise<void> {
    const now = this.#elapsed();
    if (this.#measured === undefined || now - this.#measured.at > MEASURE_EVERY_MS) {
      this.#measured = { at: now, done: this.files.measure() };
    }
    await this.#measured.done;
    await this.settle();
  }

  /**
   * Ends what has moved by now, so that whoever looks sees no device that is gone, and takes the snapshots that are due. Costs nothing
   * while nothing moves and nothing is due.
   */
  async settle(): Promise<void> {
    if (!isSettled(this.cluster)) await this.perform(settleMovements);
    for (const id of duePolicies(this.cluster)) await this.#takeRound(id);
  }

  /** Gives a volume the content of another of its family. */
  overwrite(request: Overwrite): Promise<void> {
    return this.#contents.overwrite(request);
  }

  /** As 2.x does it. */
  revert(request: Revert): Promise<void> {
    return this.#contents.revert(request);
  }

  async #takeRound(policyId: string): Promise<void> {
    try {
      await this.perform((cluster) => {
        takePolicyRound(cluster, policyId);
      });
    } catch (error) {
      if (!(error instanceof ArrayError)) throw error;
      await this.perform((cluster) => {
        noteFailedRound(cluster, policyId, error);
      });
    }
  }

  /** Makes a snapshot of the state now. */
  async compact(): Promise<void> {
    await this.#store.compact();
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking);
    for (const sdcId of this.connections.connected()) this.connections.drop(sdcId);
    await this.hosts.idle();
    await this.#store.close();
  }

  async #follow(changes: readonly Change[]): Promise<void> {
    const volumes = changes.filter((change) => change.table === 'volumes');
    if (volumes.length > 0) this.#measured = undefined;
    const snapshots = volumes.flatMap(({ before, after }) => newSnapshot(before, after) ?? []);
    const others = volumes.filter(({ before, after }) => newSnapshot(before, after) === undefined);
    await Promise.all([this.#copy(snapshots), ...others.map((change) => this.#followVolume(change))]);
    if (changes.some((change) => change.table === 'systems' || change.table === 'sdcs')) this.#expel();
  }

  /** Cuts off SDCs that the restricted mode no longer lets in. */
  #expel(): void {
    for (const sdc of this.cluster.state.sdcs.many(this.connections.connected())) {
      if (isApproved(this.cluster, sdc)) continue;
      this.connections.send(sdc.id, { type: 'refused', reason: 'not approved' });
      this.connections.drop(sdc.id);
    }
  }

  async #followVolume(change: Change): Promise<void> {
    const before = change.before as VolumeRecord | undefined;
    const after = change.after as VolumeRecord | undefined;
    await this.hosts.volumeChanged(change.id, before, after);
  }

  /** Snapshots whose data cannot be copied are none. */
  async #copy(snapshots: readonly NewSnapshot[]): Promise<void> {
    if (snapshots.length === 0) return;
    try {
      await this.#contents.copy(snapshots);
    } catch (error) {
      await this.perform(({ state }) => {
        for (const { id } of snapshots) state.volumes.delete(id);
      });
      throw error;
    }
    await this.#store.transact(() => {
      for (const { id } of snapshots) finishCopy(this.cluster, id);
    }).saved;
  }
}

interface NewSnapshot {
  readonly id: string;
  readonly sourceId: string;
}

function newSnapshot(before: unknown, after: unknown): NewSnapshot | undefined {
  const { id, copyingFrom } = (after ?? {}) as Partial<VolumeRecord>;
  if (before !== undefined || id === undefined || typeof copyingFrom !== 'string') return undefined;
  return { id, sourceId: copyingFrom };
}

function setUp(cluster: Cluster, settings: Settings): void {
  const { systemName: name, mdmIps, restrictedSdcMode, domains } = settings;
  const id = randomBytes(8).toString('hex');
  const installId = randomBytes(8).toString('hex');
  layOut(cluster, { id, installId, name, mdmIps, restrictedSdcMode, domains });
}

/** Snapshots whose data was still being copied when the simulator died: nobody was told that they exist. */
async function dropHalfCopied(store: StateStore): Promise<void> {
  await store.transact(() => {
    for (const volume of [...store.state.volumes.values()]) {
      if (volume.copyingFrom !== null) store.state.volumes.delete(volume.id);
    }
  }).saved;
}

/** Leaves out what is undefined. */
function definedOf<T extends object>(partial: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(partial).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
