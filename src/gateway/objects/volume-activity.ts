import type { FamilyUsage, VolumeIo } from '../../array/copies.ts';
import { asFamilyId, asVolumeId, type FamilyId, type VolumeId } from '../../array/ids.ts';
import { GatewayRejectedError } from '../../errors.ts';
import { objectOf, unclear } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import {
  familyUsageSchema,
  familyUsagesSchema,
  IO_PROPERTIES,
  LATENCY_PROPERTIES,
  USAGE_PROPERTIES,
  volumeIoSchema,
} from './copy-schemas.ts';
import { LIST_TIMEOUT_MS, type Volumes } from './volumes.ts';

type Ids<Id extends string> = readonly Id[] | 'all';

const VOLUME_STATISTICS = '/api/types/Volume/instances/action/querySelectedStatistics';
const FAMILY_STATISTICS = '/api/types/VTree/instances/action/querySelectedStatistics';

/** Figures of many volumes at once, as VolumeActivity promises it. */
export class Activity {
  readonly #client: GatewayClient;
  readonly #volumes: Volumes;
  /** The array refused to tell latencies: one property that it does not know makes the whole call fail [cinder]. */
  #knowsNoLatency = false;

  constructor(client: GatewayClient, volumes: Volumes) {
    this.#client = client;
    this.#volumes = volumes;
  }

  async io(ids: Ids<VolumeId>, signal: AbortSignal): Promise<ReadonlyMap<VolumeId, VolumeIo>> {
    if (ids.length === 0) return new Map();
    const { capabilities } = await this.#client.identify(signal);
    const asksLatency = capabilities.readOnlyLimit && !this.#knowsNoLatency;
    try {
      return await this.#io(ids, asksLatency, signal);
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      const left = ids === 'all' ? ids : (await this.#volumes.getMany(ids, signal)).map(({ id }) => id);
      if (left.length === 0) return new Map();
      if (left !== 'all' && left.length < new Set(ids).size) return this.#io(left, asksLatency, signal);
      if (!asksLatency) throw error;
      const without = await this.#io(left, false, signal);
      this.#knowsNoLatency = true;
      return without;
    }
  }

  #io(
    ids: Ids<VolumeId>,
    asksLatency: boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<VolumeId, VolumeIo>> {
    const properties = [...IO_PROPERTIES, ...(asksLatency ? LATENCY_PROPERTIES : [])];
    const read = objectOf(volumeIoSchema);
    return this.#client.call(
      {
        what: ids === 'all' ? 'read the I/O of all volumes' : `read the I/O of ${ids.length} volumes`,
        method: 'POST',
        path: VOLUME_STATISTICS,
        route: VOLUME_STATISTICS,
        body: ids === 'all' ? { allIds: '', properties } : { ids, properties },
        repeatable: true,
        isList: true,
        timeoutMs: ids === 'all' ? LIST_TIMEOUT_MS : undefined,
        read: async (reply) => byId(await read(reply), ids, asVolumeId),
      },
      signal,
    );
  }

  async usage(ids: readonly FamilyId[], signal: AbortSignal): Promise<ReadonlyMap<FamilyId, FamilyUsage>> {
    const wanted = [...new Set(ids)];
    if (wanted.length === 0) return new Map();
    const read = objectOf(familyUsagesSchema);
    try {
      const usages = await this.#client.call(
        {
          what: `read what ${wanted.length} families of snapshots hold`,
          method: 'POST',
          path: FAMILY_STATISTICS,
          route: FAMILY_STATISTICS,
          body: { ids: wanted, properties: USAGE_PROPERTIES },
          repeatable: true,
          isList: true,
          read: async (reply) => byId(await read(reply), wanted, asFamilyId),
        },
        signal,
      );
      return new Map([...usages].map(([familyId, usage]) => [familyId, { familyId, ...usage }]));
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      return this.#usageOneByOne(wanted, signal);
    }
  }

  /** One that is gone makes the array refuse the question about all; which one it is, not every array says. */
  async #usageOneByOne(
    ids: readonly FamilyId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<FamilyId, FamilyUsage>> {
    const usages = await Promise.all(ids.map((id) => this.#usageOfOne(id, signal)));
    return new Map(usages.flatMap((usage) => (usage === undefined ? [] : [[usage.familyId, usage]])));
  }

  async #usageOfOne(id: FamilyId, signal: AbortSignal): Promise<FamilyUsage | undefined> {
    try {
      const usage = await this.#client.call(
        {
          what: `read what V-tree "${id}" holds`,
          method: 'GET',
          path: `/api/instances/VTree::${encodeURIComponent(id)}/relationships/Statistics`,
          route: '/api/instances/VTree::{id}/relationships/Statistics',
          repeatable: true,
          read: objectOf(familyUsageSchema),
        },
        signal,
      );
      return { familyId: id, ...usage };
    } catch (error) {
      if (error instanceof GatewayRejectedError) return undefined;
      throw error;
    }
  }
}

/** Rule 15: figures of something else than was asked for are no answer. */
function byId<Id extends string, Value>(
  values: Readonly<Record<string, Value>>,
  asked: Ids<Id>,
  asId: (text: string) => Id,
): ReadonlyMap<Id, Value> {
  const wanted = asked === 'all' ? undefined : new Set(asked);
  const pairs = Object.entries(values).map(([text, value]) => [asId(text), value] as const);
  const stranger = pairs.find(([id]) => wanted?.has(id) === false);
  if (stranger !== undefined) throw unclear(`is about "${stranger[0]}", which was not asked for`);
  return new Map(pairs);
}
