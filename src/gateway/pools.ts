import { LRUCache } from 'lru-cache';
import { InvalidRequestError } from '../errors.ts';
import { nearest } from '../units/nearest.ts';
import type { StoragePool, StoragePoolId } from '../volumes/volume.ts';
import { objectOf, unclear } from './bodies.ts';
import type { GatewayClient } from './client.ts';
import { abandonable, cancelled } from './failures.ts';
import { listInstances } from './instances.ts';
import { domainSchema, poolSchema, poolUsageSchema } from './schemas.ts';

const POOL_INSTANCES = '/api/types/StoragePool/instances';
const DOMAIN_INSTANCES = '/api/types/ProtectionDomain/instances';
/** Pools and domains hardly ever change, and a miss refreshes anyway. */
const KEPT_FOR_MS = 15 * 60_000;
/** What was read a moment ago is not read again for another miss. */
const FRESH_FOR_MS = 2000;
/** For one reading, whoever waits for it. */
const READ_TIMEOUT_MS = 30_000;

interface Layout {
  readonly pools: readonly StoragePool[];
  readonly readAt: number;
}

export interface WantedPool {
  readonly pool: string | undefined;
  readonly domain: string | undefined;
}

const KEY = 'layout';

/** Storage pools with their protection domains; read together and kept. */
export class Pools {
  readonly #client: GatewayClient;
  readonly #elapsed: () => number;
  readonly #cache: LRUCache<typeof KEY, Layout>;

  constructor(client: GatewayClient, elapsed: () => number) {
    this.#client = client;
    this.#elapsed = elapsed;
    this.#cache = new LRUCache<typeof KEY, Layout>({
      max: 1,
      ttl: KEPT_FOR_MS,
      perf: { now: elapsed },
      // One caller's deadline must not end what others wait for too, so callers' signals stay out of here.
      fetchMethod: (_key, _stale, { signal }) => this.#read(signal),
    });
  }

  /** As StorageArray promises it. */
  async find(wanted: WantedPool, signal: AbortSignal): Promise<StoragePool> {
    const what = wanted.pool === undefined ? 'find the storage pool' : `find storage pool "${wanted.pool}"`;
    const layout = await this.#layout(what, signal);
    const found = choose(layout.pools, wanted);
    if (!(found instanceof InvalidRequestError)) return found;
    const again = choose((await this.#fresher(layout, what, signal)).pools, wanted);
    if (again instanceof InvalidRequestError) throw again;
    return again;
  }

  async describe(id: StoragePoolId, signal: AbortSignal): Promise<StoragePool | undefined> {
    const what = `find storage pool "${id}"`;
    const layout = await this.#layout(what, signal);
    const isWanted = (pool: StoragePool): boolean => pool.id === id;
    return layout.pools.find(isWanted) ?? (await this.#fresher(layout, what, signal)).pools.find(isWanted);
  }

  /** As StorageArray promises it. */
  usage(id: StoragePoolId, signal: AbortSignal): Promise<{ usedKiB: number; roomKiB: number }> {
    const path = `${POOL_INSTANCES}/action/querySelectedStatistics`;
    return this.#client.call(
      {
        what: `read how full storage pool "${id}" is`,
        method: 'POST',
        path,
        route: path,
        body: { ids: [id], properties: ['capacityInUseInKb', 'capacityLimitInKb', 'spareCapacityInKb'] },
        repeatable: true,
        read: async (reply) => {
          const usage = (await objectOf(poolUsageSchema)(reply))[id];
          if (usage === undefined) throw unclear(`is not about "${id}", which was asked for`);
          return usage;
        },
      },
      signal,
    );
  }

  async #layout(what: string, signal: AbortSignal, forceRefresh = false): Promise<Layout> {
    try {
      return await abandonable(this.#cache.forceFetch(KEY, { forceRefresh }), signal);
    } catch (error) {
      if (signal.aborted) throw cancelled(what, signal);
      throw error;
    }
  }

  async #fresher(layout: Layout, what: string, signal: AbortSignal): Promise<Layout> {
    const isFresh = this.#elapsed() - layout.readAt < FRESH_FOR_MS;
    return isFresh ? layout : this.#layout(what, signal, true);
  }

  async #read(cacheSignal: AbortSignal): Promise<Layout> {
    const signal = AbortSignal.any([cacheSignal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
    const [pools, domains] = await Promise.all([
      listInstances(
        this.#client,
        { what: 'list storage pools', path: POOL_INSTANCES, schema: poolSchema },
        signal,
      ),
      listInstances(
        this.#client,
        { what: 'list protection domains', path: DOMAIN_INSTANCES, schema: domainSchema },
        signal,
      ),
    ]);
    const domainNames = new Map(domains.map((domain) => [domain.id, domain.name ?? domain.id]));
    return {
      readAt: this.#elapsed(),
      pools: pools.map((pool) => ({
        id: pool.id,
        name: pool.name ?? pool.id,
        domainId: pool.protectionDomainId,
        domainName: domainNames.get(pool.protectionDomainId) ?? pool.protectionDomainId,
        zeroPadding: pool.zeroPaddingEnabled ?? false,
      })),
    };
  }
}

function listed(names: Iterable<string>): string {
  const unique = [...new Set(names)].toSorted();
  const shown = unique.slice(0, 5).map((name) => `"${name}"`);
  return unique.length > shown.length
    ? `${shown.join(', ')} and ${unique.length - shown.length} more`
    : shown.join(', ');
}

/** "; did you mean …?" when something is near, else what there is. */
function suggestion(wanted: string, known: readonly string[]): string {
  const near = nearest(wanted, new Set(known));
  if (near !== undefined) return `; did you mean "${near}"?`;
  return known.length === 0 ? '; there is none' : `; there is ${listed(known)}`;
}

/** The one pool that is meant, or why none is. Ids and names are matched exactly. */
function choose(
  pools: readonly StoragePool[],
  { pool, domain }: WantedPool,
): StoragePool | InvalidRequestError {
  const inDomain = pools.filter(
    ({ domainId, domainName }) => domain === undefined || domain === domainId || domain === domainName,
  );
  if (domain !== undefined && inDomain.length === 0) {
    const hint = suggestion(
      domain,
      pools.map(({ domainName }) => domainName),
    );
    return new InvalidRequestError(`no protection domain "${domain}" with a storage pool in it${hint}`);
  }
  const place = domain === undefined ? '' : ` in protection domain "${domain}"`;
  const matching = inDomain.filter(({ id, name }) => pool === undefined || pool === id || pool === name);
  const [only, ...others] = matching;
  if (only === undefined) {
    const hint = suggestion(
      pool ?? '',
      inDomain.map(({ name }) => name),
    );
    const missing = pool === undefined ? 'no storage pool' : `no storage pool "${pool}"`;
    return new InvalidRequestError(`${missing}${place}${hint}`);
  }
  if (others.length === 0) return only;
  if (pool === undefined) {
    const names = listed(matching.map(({ name }) => name));
    return new InvalidRequestError(
      `which storage pool is meant${place}? Set the option pool to one of ${names}`,
    );
  }
  const domains = listed(matching.map(({ domainName }) => domainName));
  return new InvalidRequestError(
    `storage pool "${pool}" exists in several protection domains; set the option domain to one of ${domains}`,
  );
}
