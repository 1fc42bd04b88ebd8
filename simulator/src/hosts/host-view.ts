import type { Cluster } from '../mdm/cluster.ts';
import { volumesOfSdc } from '../mdm/mappings.ts';
import type { VolumeRecord } from '../mdm/records.ts';
import type { DeviceFault, SdcVolume } from '../sdc-protocol.ts';
import type { Fences } from './volume-fences.ts';
import type { SdcConnections } from './sdc-connections.ts';
import type { VolumeFiles } from './volume-files.ts';
import type { Durability } from '../store/state-journal.ts';

/** How long hosts that the MDM does not hear may take to see a fence by themselves. */
const UNHEARD_RELEASE_MS = 1000;

export interface HostViewParts {
  readonly cluster: Cluster;
  readonly fences: Fences;
  readonly files: VolumeFiles;
  readonly connections: SdcConnections;
  readonly releaseTimeoutMs: number;
  /** Of what hosts write, too. */
  readonly durability: Durability;
  readonly deviceFaultOf: (volumeId: string) => DeviceFault | undefined;
}

/**
 * Makes the hosts see what the MDM's state says: data files, fences, and the lists that are sent to the SDCs. Works
 * on one volume at a time from the state as it is then, so the last change always wins.
 */
export class HostView {
  readonly #parts: HostViewParts;
  readonly #queues = new Map<string, Promise<void>>();
  /** Volumes whose file and fence are in place; only these are told to hosts. */
  readonly #ready = new Set<string>();

  constructor(parts: HostViewParts) {
    this.#parts = parts;
  }

  /** After a start: files and fences of all mapped volumes as the state says, and no others. */
  async restore(): Promise<void> {
    const { cluster, fences } = this.#parts;
    for (const id of await fences.present()) {
      const volume = cluster.state.volumes.get(id);
      if (volume === undefined) await fences.remove(id);
      else if (!isMapped(volume)) await fences.allow(id, []);
    }
    for (const volume of cluster.state.volumes.values()) if (isMapped(volume)) await this.#prepare(volume);
  }

  /**
   * A volume was made, changed or removed. Resolves when the hosts that it was mapped to and is no longer can do no
   * more I/O on it, as the real MDM revokes access before an unmapping returns, or when the time for that is up.
   */
  async volumeChanged(
    id: string,
    before: VolumeRecord | undefined,
    after: VolumeRecord | undefined,
  ): Promise<void> {
    if (!concernsHosts(before, after)) return;
    const affected = new Set([...this.#sdcsOf(before), ...this.#sdcsOf(after)]);
    await this.#inTurn(id, async () => {
      const volume = this.#parts.cluster.state.volumes.get(id);
      if (volume === undefined) await this.#discard(id, affected);
      else await this.#show(volume, affected);
    });
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#queues.values());
  }

  /** Sends an SDC the complete list of its volumes. */
  sendVolumes(sdcId: string): void {
    const { connections } = this.#parts;
    if (connections.isConnected(sdcId))
      connections.send(sdcId, { type: 'volumes', volumes: this.volumesOf(sdcId) });
  }

  /** What an SDC is told that it has. */
  volumesOf(sdcId: string): SdcVolume[] {
    const volumes = volumesOfSdc(this.#parts.cluster, sdcId).filter((volume) => this.#ready.has(volume.id));
    return volumes.map((volume) => this.#describe(volume, sdcId));
  }

  /** Volumes mapped to all SDCs become known to one that is new. */
  async admit(): Promise<void> {
    const { state } = this.#parts.cluster;
    for (const volume of state.volumes.many(state.volumesToAll.ids('all'))) {
      await this.#inTurn(volume.id, () => this.#prepare(volume));
    }
  }

  async #inTurn(id: string, work: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(id) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#queues.set(id, turn);
    try {
      await turn;
    } finally {
      if (this.#queues.get(id) === turn) this.#queues.delete(id);
    }
  }

  async #show(volume: VolumeRecord, affected: ReadonlySet<string>): Promise<void> {
    const { cluster } = this.#parts;
    await this.#prepare(volume);
    const current = this.#sdcsOf(volume);
    const losers = [...affected].filter((sdcId) => !current.includes(sdcId));
    const acknowledged = this.#tell(affected, losers);
    const guids = cluster.state.sdcs.many(current).map((sdc) => sdc.guid);
    await this.#endOthers(volume.id, guids, losers);
    await acknowledged;
  }

  async #discard(id: string, affected: ReadonlySet<string>): Promise<void> {
    const { fences, files } = this.#parts;
    this.#ready.delete(id);
    await fences.remove(id);
    const acknowledged = this.#tell(affected, [...affected]);
    await this.#endOthers(id, [], [...affected]);
    await acknowledged;
    await files.remove(id);
  }

  /** Nobody but the allowed can do I/O on the volume when this resolves; who is out of reach gets less time for it. */
  async #endOthers(volumeId: string, allowed: readonly string[], losers: readonly string[]): Promise<void> {
    const { fences, connections, releaseTimeoutMs } = this.#parts;
    const canHear = losers.some((sdcId) => connections.isConnected(sdcId));
    const patienceMs = canHear ? releaseTimeoutMs : Math.min(releaseTimeoutMs, UNHEARD_RELEASE_MS);
    if (!(await fences.released(volumeId, allowed, patienceMs))) await fences.enforce(volumeId, allowed);
  }

  /** Sends new lists; resolves when the losers have answered. */
  async #tell(affected: Iterable<string>, losers: readonly string[]): Promise<void> {
    const { connections, releaseTimeoutMs } = this.#parts;
    const answers = losers.map((sdcId) => connections.acknowledged(sdcId, releaseTimeoutMs));
    for (const sdcId of affected) this.sendVolumes(sdcId);
    await Promise.all(answers);
  }

  async #prepare(volume: VolumeRecord): Promise<void> {
    const { cluster, fences, files } = this.#parts;
    const sdcs = cluster.state.sdcs.many(this.#sdcsOf(volume));
    if (sdcs.length > 0 || volume.mappedToAll) await files.ensure(volume.id, volume.sizeKiB);
    await fences.allow(
      volume.id,
      sdcs.map((sdc) => sdc.guid),
    );
    this.#ready.add(volume.id);
  }

  #sdcsOf(volume: VolumeRecord | undefined): string[] {
    if (volume === undefined) return [];
    if (volume.mappedToAll) return [...this.#parts.cluster.state.sdcs.values()].map((sdc) => sdc.id);
    return volume.mappings.map((mapping) => mapping.sdcId);
  }

  #describe(volume: VolumeRecord, sdcId: string): SdcVolume {
    const mapping = volume.mappings.find((candidate) => candidate.sdcId === sdcId);
    const fault = this.#parts.deviceFaultOf(volume.id);
    return {
      volumeId: volume.id,
      sizeKiB: volume.sizeKiB,
      file: this.#parts.files.path(volume.id),
      readOnly: (mapping?.accessMode ?? volume.accessModeLimit) !== 'ReadWrite',
      durable: this.#parts.durability === 'machine',
      limitBandwidthKiBps: (mapping?.limitBwInMbps ?? 0) * 1024,
      limitIops: mapping?.limitIops ?? 0,
      ...(fault === undefined ? {} : { deviceFault: fault }),
    };
  }
}

function isMapped(volume: VolumeRecord): boolean {
  return volume.mappedToAll || volume.mappings.length > 0;
}

/** Whether a change can matter to a host: what is never mapped has neither file nor fence. */
function concernsHosts(before: VolumeRecord | undefined, after: VolumeRecord | undefined): boolean {
  if (after === undefined) return true;
  return isMapped(after) || (before !== undefined && (isMapped(before) || before.sizeKiB !== after.sizeKiB));
}
