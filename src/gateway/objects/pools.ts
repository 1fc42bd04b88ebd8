import type * as z from 'zod';
import { InvalidRequestError } from '../../errors.ts';
import { nearest } from '../../units/nearest.ts';
import type { PoolId } from '../../array/ids.ts';
import type { StoragePool } from '../../array/pool.ts';
import { objectOf, unclear } from '../wire/bodies.ts';
import type { GatewayClient } from '../wire/client.ts';
import { abandonable, cancelled } from '../wire/failures.ts';
import type { RequestOwners } from '../wire/gateway-endpoint.ts';
import { listInstances } from './instances.ts';
import { KeptList } from './kept-list.ts';
import { domainSchema, poolSchema, poolUsageSchema } from './schemas.ts';

const POOL_INSTANCES = '/api/types/StoragePool/instances';
const DOMAIN_INSTANCES = '/api/types/ProtectionDomain/instances';
/** Pools and domains hardly ever change, and a miss refreshes anyway. Then one list is read for a new volume, not both. */
const KEPT_FOR_MS = 15 * 60_000;
/** What was read a moment ago is not read again for another miss. */
const FRESH_FOR_MS = 2000;
/** For one reading, whoever waits for it. */
const READ_TIMEOUT_MS = 30_000;

export interface WantedPool {
  readonly pool: string | undefined;
  readonly domain: string | undefined;
}

/** Storage pools with their protection domains; read together at first, and kept. */
export class Pools {
  readonly #client: GatewayClient;
  readonly #pools: KeptList<z.output<typeof poolSchema>>;
  readonly #domains: KeptList<z.output<typeof domainSchema>>;

  /** Readings are made apart from who waits for them: they are kept for everybody. */
  constructor(client: GatewayClient, elapsed: () => number, owners: Pick<RequestOwners, 'apart'>) {
    this.#client = client;
    const apart = <T>(read: () => Promise<T>) => owners.apart('pools', read);
    const pools = { what: 'list storage pools', path: POOL_INSTANCES, schema: poolSchema };
    const domains = { what: 'list protection domains', path: DOMAIN_INSTANCES, schema: domainSchema };
    this.#pools = new KeptList(() => apart(() => this.#list(pools)), elapsed);
    this.#domains = new KeptList(() => apart(() => this.#list(domains)), elapsed);
  }

  /** As StorageArray promises it. */
  async find(wanted: WantedPool, signal: AbortSignal): Promise<StoragePool> {
    const what = wanted.pool === undefined ? 'find the storage pool' : `find storage pool "${wanted.pool}"`;
    await this.#renewOne(what, signal);
    const found = choose(await this.#known(what, signal), wanted);
    if (!(found instanceof InvalidRequestError)) return found;
    const again = choose(await this.#fresh(what, signal), wanted);
    if (again instanceof InvalidRequestError) throw again;
    return again;
  }

  /** As StorageArray promises it. */
  async describe(id: PoolId, signal: AbortSignal): Promise<StoragePool | undefined> {
    const what = `find storage pool "${id}"`;
    const isWanted = (pool: StoragePool): boolean => pool.id === id;
    return (
      (await this.#known(what, signal)).find(isWanted) ?? (await this.#fresh(what, signal)).find(isWanted)
    );
  }

  /** As StorageArray promises it. */
  usage(id: PoolId, signal: AbortSignal): Promise<{ usedKiB: number; roomKiB: number }> {
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

  /** Reads one list anew that is old: that of the pools before that of the domains, whose turn comes with the next volume. */
  async #renewOne(what: string, signal: AbortSignal): Promise<void> {
    const old = [this.#pools, this.#domains].find(({ age }) => age !== undefined && age >= KEPT_FOR_MS);
    if (old !== undefined) await waitFor(old.newer(), what, signal);
  }

  /** However long ago they were read. */
  #known(what: string, signal: AbortSignal): Promise<StoragePool[]> {
    return this.#joined(what, signal, (list) => list.any());
  }

  #fresh(what: string, signal: AbortSignal): Promise<StoragePool[]> {
    return this.#joined(what, signal, (list) =>
      list.age !== undefined && list.age < FRESH_FOR_MS ? list.any() : list.newer(),
    );
  }

  async #joined(
    what: string,
    signal: AbortSignal,
    read: <T>(list: KeptList<T>) => Promise<readonly T[]>,
  ): Promise<StoragePool[]> {
    const both = Promise.all([read(this.#pools), read(this.#domains)]);
    const [pools, domains] = await waitFor(both, what, signal);
    const domainNames = new Map(domains.map((domain) => [domain.id, domain.name ?? domain.id]));
    return pools.map((pool) => ({
      id: pool.id,
      name: pool.name ?? pool.id,
      domainId: pool.protectionDomainId,
      domainName: domainNames.get(pool.protectionDomainId) ?? pool.protectionDomainId,
      zeroPadding: pool.zeroPaddingEnabled ?? false,
    }));
  }

  /** Callers' signals stay out of here: one caller's deadline must not end what others wait for too. */
  #list<Schema extends z.ZodType>(listing: {
    readonly what: string;
    readonly path: string;
    readonly schema: Schema;
  }): Promise<z.output<Schema>[]> {
    return listInstances(this.#client, listing, AbortSignal.timeout(READ_TIMEOUT_MS));
  }
}

async function waitFor<T>(reading: Promise<T>, what: string, signal: AbortSignal): Promise<T> {
  try {
    return await abandonable(reading, signal);
  } catch (error) {
    if (signal.aborted) throw cancelled(what, signal);
    throw error;
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
