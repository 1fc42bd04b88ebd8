import { InvalidRequestError } from '../../errors.ts';
import { nearest } from '../../units/nearest.ts';
import { quote } from '../../units/quote.ts';
import type { PoolPolicy } from '../policy.ts';
import type { ClusterReading, PoolReading } from '../../array/pool.ts';

const MOST_NAMED = 10;

/** Which policy is for which pool; `problems`: of policies that are for none, in words that name the pools there are. */
export function assign(
  wanted: readonly PoolPolicy[],
  { pools }: Pick<ClusterReading, 'pools'>,
): { policies: ReadonlyMap<PoolReading, PoolPolicy>; problems: string[] } {
  const policies = new Map<PoolReading, PoolPolicy>();
  const problems: string[] = [];
  for (const policy of wanted) {
    const { pool: name, domain } = policy;
    const [only, ...others] = pools.filter(
      (pool) =>
        (pool.id === name || pool.name === name) &&
        (domain === undefined || pool.domainId === domain || pool.domainName === domain),
    );
    const shown = `"${askedFor(policy)}"`;
    if (only === undefined)
      problems.push(`the array has no storage pool ${shown}${insteadOf(policy, pools)}`);
    else if (others.length > 0) problems.push(`several storage pools are named ${shown}; give the domain`);
    else if (policies.has(only)) problems.push(`storage pool ${shown} is in the policy twice`);
    else policies.set(only, policy);
  }
  return { policies, problems };
}

/** A pool by its name or id, in a domain by its own where names repeat. */
export interface WantedPool {
  readonly pool: string;
  readonly domain: string | undefined;
}

/** The pool that is meant. Throws InvalidRequestError where there is none, or more than one. */
export function onePool({ pools }: Pick<ClusterReading, 'pools'>, { pool, domain }: WantedPool): PoolReading {
  const [only, ...others] = pools.filter(
    ({ id, name, domainId, domainName }) =>
      (id === pool || name === pool) && (domain === undefined || [domainId, domainName].includes(domain)),
  );
  if (only === undefined) throw new InvalidRequestError(`the array has no pool ${quote(pool)}`);
  if (others.length === 0) return only;
  const domains = [only, ...others].map(({ domainName }) => domainName).join(', ');
  throw new InvalidRequestError(
    `there are ${others.length + 1} pools ${quote(pool)}; say which by its domain: ${domains}`,
  );
}

function askedFor({ pool, domain }: PoolPolicy): string {
  return domain === undefined ? pool : `${domain}/${pool}`;
}

function insteadOf(policy: PoolPolicy, pools: readonly PoolReading[]): string {
  if (pools.length === 0) return '; it has none';
  const whole = pools.map(({ name, domainName }) => `${domainName}/${name}`);
  const known = policy.domain === undefined ? pools.map(({ name }) => name) : whole;
  const near = nearest(askedFor(policy), known);
  const meant = near === undefined ? '; it has' : `; did you mean "${near}"? It has`;
  const named = whole.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  const more = whole.length > MOST_NAMED ? ` and ${whole.length - MOST_NAMED} more` : '';
  return `${meant} ${named.join(', ')}${more}`;
}
