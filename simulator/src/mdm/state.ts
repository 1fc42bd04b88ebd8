import type {
  DeviceRecord,
  DiskRecord,
  DomainRecord,
  FaultSetRecord,
  MovementRecord,
  NvmeHostRecord,
  PolicyRecord,
  PoolRecord,
  SdcRecord,
  SdsRecord,
  SequenceRecord,
  SystemRecord,
  VolumeRecord,
} from './records.ts';
import { PoolTallies } from './pool-tallies.ts';
import { Table, type Change } from './table.ts';

/** Everything the MDM remembers, with the indexes that keep each operation's cost free of the number of volumes. */
export class MdmState {
  readonly #changes: Change[] = [];
  readonly systems = new Table<SystemRecord>('systems', this.#changes);
  readonly domains = new Table<DomainRecord>('domains', this.#changes);
  readonly pools = new Table<PoolRecord>('pools', this.#changes);
  readonly faultSets = new Table<FaultSetRecord>('faultSets', this.#changes);
  readonly sdss = new Table<SdsRecord>('sdss', this.#changes);
  readonly devices = new Table<DeviceRecord>('devices', this.#changes);
  readonly disks = new Table<DiskRecord>('disks', this.#changes);
  readonly sdcs = new Table<SdcRecord>('sdcs', this.#changes);
  readonly nvmeHosts = new Table<NvmeHostRecord>('nvmeHosts', this.#changes);
  readonly volumes = new Table<VolumeRecord>('volumes', this.#changes);
  readonly policies = new Table<PolicyRecord>('policies', this.#changes);
  readonly movements = new Table<MovementRecord>('movements', this.#changes);
  readonly sequences = new Table<SequenceRecord>('sequences', this.#changes);

  readonly volumesByName = this.volumes.index((volume) => (volume.name === null ? [] : [volume.name]));
  readonly volumesByVtree = this.volumes.index((volume) => [volume.vtreeId]);
  readonly volumesByPool = this.volumes.index((volume) => [volume.poolId]);
  readonly volumesByGroup = this.volumes.index((volume) => (volume.groupId === null ? [] : [volume.groupId]));
  readonly volumesByAncestor = this.volumes.index((volume) => (volume.ancestorId ? [volume.ancestorId] : []));
  readonly volumesBySourcePolicy = this.volumes.index(({ sourcePolicyId }) =>
    sourcePolicyId === undefined ? [] : [sourcePolicyId],
  );
  readonly volumesByAutoPolicy = this.volumes.index(({ auto }) =>
    auto === undefined ? [] : [auto.policyId],
  );
  readonly volumesBySdc = this.volumes.index((volume) => volume.mappings.map((mapping) => mapping.sdcId));
  readonly volumesToAll = this.volumes.index((volume) => (volume.mappedToAll ? ['all'] : []));
  readonly poolTallies = this.volumes.observed(new PoolTallies());
  readonly sdcsByGuid = this.sdcs.index((sdc) => [sdc.guid]);
  readonly poolsByDomain = this.pools.index((pool) => [pool.domainId]);
  readonly sdssByDomain = this.sdss.index((sds) => [sds.domainId]);
  readonly devicesByPool = this.devices.index((device) => [device.poolId]);
  readonly devicesBySds = this.devices.index((device) => [device.sdsId]);
  readonly disksBySds = this.disks.index((disk) => [disk.sdsId]);
  readonly movementsByPool = this.movements.index((movement) => [movement.poolId]);

  readonly #tables = new Map<string, Table<{ readonly id: string }>>(
    [
      this.systems,
      this.domains,
      this.pools,
      this.faultSets,
      this.sdss,
      this.devices,
      this.disks,
      this.sdcs,
      this.nvmeHosts,
      this.volumes,
      this.policies,
      this.movements,
      this.sequences,
    ].map((table) => [table.name, table as unknown as Table<{ readonly id: string }>]),
  );

  /** Runs a change as a whole: what it returns and what it changed, or, when it throws, nothing changed at all. */
  transact<T>(work: () => T): { result: T; changes: Change[] } {
    try {
      const result = work();
      return { result, changes: this.#changes.splice(0) };
    } catch (error) {
      for (const change of this.#changes.splice(0).reverse())
        this.restore(change.table, change.id, change.before);
      throw error;
    }
  }

  /** Sets one record as it was saved. Throws on a table that this version does not know. */
  restore(table: string, id: string, record: unknown): void {
    const found = this.#tables.get(table);
    if (found === undefined) throw new Error(`saved state has a record of unknown table "${table}"`);
    found.restore(id, record as { readonly id: string } | undefined);
  }

  /** All records of all tables as they are now; the array is a copy, the records are not. */
  records(): { table: string; record: { readonly id: string } }[] {
    const all: { table: string; record: { readonly id: string } }[] = [];
    for (const table of this.#tables.values()) {
      for (const record of table.values()) all.push({ table: table.name, record });
    }
    return all;
  }

  /** The one system. Throws before the state has been laid out. */
  system(): SystemRecord {
    const [system] = this.systems.values();
    if (system === undefined) throw new Error('the MDM has no system yet');
    return system;
  }

  /** Next id of an object type: two 8-digit halves that both grow by one per object, as on real arrays. */
  nextId(type: string): string {
    const sequence = this.sequences.get(type) ?? {
      id: type,
      prefix: seedOf(type, this.system().id),
      next: 0,
    };
    this.sequences.put({ ...sequence, next: sequence.next + 1 });
    return hex8(sequence.prefix + sequence.next) + hex8(sequence.next);
  }
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** A prefix that differs by object type and system, without asking for randomness. */
function seedOf(type: string, systemId: string): number {
  let hash = 0x811c9dc5;
  for (const char of type + systemId) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash >>> 0) & 0x7fffffff;
}
