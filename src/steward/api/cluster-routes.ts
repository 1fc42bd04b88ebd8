import * as z from 'zod';
import { quote } from '../../units/quote.ts';
import { ACTION_SCHEMAS } from '../../volumes/action-schemas.ts';
import { knownCaller } from './caller.ts';
import type { Changes } from './changes.ts';
import type { ApiParts } from './parts.ts';
import { ApiRefusal } from './problem.ts';
import { about, REFUSALS, ROOT, type ApiServer } from './route.ts';
import type { Grant } from './tokens.ts';
import { hostOfApi, hostSchema, poolsOfApi, poolsSchema } from './views.ts';
import { changeHeaders, domainQuery, poolParams } from './wishes.ts';

const READ_MS = 60_000;

/** Pools and hosts, and the token itself. */
export function addClusterRoutes(server: ApiServer, parts: ApiParts, changes: Changes): void {
  addReading(server, parts);
  addClasses(server, parts);
  addDiskRoute(server, parts, changes);
}

function addReading(server: ApiServer, { inventory, steward, poolIo }: ApiParts): void {
  server.get(
    `${ROOT}/pools`,
    {
      schema: {
        ...about(
          'pools',
          'listPools',
          'how full the pools are, when they will be full, and what goes on in them',
        ),
        response: { 200: poolsSchema, ...REFUSALS },
      },
    },
    (request) => {
      knownCaller(request);
      return poolsOfApi(steward.snapshot(), poolIo());
    },
  );
  server.get(
    `${ROOT}/hosts`,
    {
      schema: {
        ...about('hosts', 'listHosts', 'the hosts that the array knows, and whether it sees them'),
        response: { 200: z.object({ hosts: z.array(hostSchema) }), ...REFUSALS },
      },
    },
    async (request) => {
      knownCaller(request);
      const hosts = await inventory.readHosts(AbortSignal.timeout(READ_MS));
      return { hosts: hosts.map(hostOfApi) };
    },
  );
  server.get(
    `${ROOT}/token`,
    {
      schema: {
        ...about('token', 'showToken', 'what the token may do'),
        response: {
          200: z.object({
            name: z.string(),
            role: z.enum(['viewer', 'operator']),
            volumes: z.array(z.string()),
            pools: z.array(z.string()),
            perMinute: z.int(),
          }),
          ...REFUSALS,
        },
      },
    },
    (request) => {
      const { volumes, pools, ...rest } = knownCaller(request);
      return { ...rest, volumes: [...volumes.written], pools: [...pools.written] };
    },
  );
}

function addClasses(server: ApiServer, { actions }: ApiParts): void {
  server.get(
    `${ROOT}/classes`,
    {
      schema: {
        ...about('classes', 'listClasses', "the operator's classes, and the options that each stands for"),
        response: { 200: ACTION_SCHEMAS.listClasses.result, ...REFUSALS },
      },
    },
    async (request) => {
      knownCaller(request);
      const classes = await actions.listClasses({}, AbortSignal.timeout(READ_MS));
      return classes.map(({ name, options }) => ({ name, options: { ...options } }));
    },
  );
}

function addDiskRoute(server: ApiServer, { steward }: ApiParts, changes: Changes): void {
  server.post(
    `${ROOT}/pools/:pool/disks`,
    {
      schema: {
        ...about(
          'pools',
          'addDisk',
          "add the next disk that the steward's policy declares for a pool, however full the pool is",
        ),
        params: poolParams,
        querystring: domainQuery,
        headers: changeHeaders,
        response: {
          200: z.object({ device: z.string(), path: z.string(), sds: z.string() }),
          ...REFUSALS,
        },
      },
    },
    (request, reply) => {
      const { pool } = request.params;
      const { domain } = request.query;
      return changes.make(request, reply, {
        action: 'add-disk',
        target: `to pool ${quote(pool)}`,
        volumes: [],
        allowed: (grant) => {
          assertPool(grant, pool, namesOf({ pool, domain }, steward));
        },
        work: (signal) => steward.addDisk({ pool, domain }, signal),
        outcome: ({ device, path, sds }) => `${path} of SDS "${sds}": device ${device}`,
      });
    },
  );
}

/** By each of the names that the pool has, where it has been read; by what was written, where not. */
function namesOf(
  { pool, domain }: { readonly pool: string; readonly domain: string | undefined },
  steward: Pick<ApiParts['steward'], 'snapshot'>,
): readonly (readonly string[])[] {
  const meant = steward
    .snapshot()
    .pools.map(({ reading }) => reading)
    .filter(({ id, name }) => id === pool || name === pool)
    .filter((one) => domain === undefined || [one.domainId, one.domainName].includes(domain));
  return meant.map(({ name, domainName }) => [name, `${domainName}/${name}`]);
}

/** Every pool that may be meant has to be one of the token's. */
function assertPool(grant: Grant, pool: string, meant: readonly (readonly string[])[]): void {
  const isAllowed = meant.every((names) => names.some((name) => grant.pools.matches(name)));
  if (isAllowed && (meant.length > 0 || grant.pools.isEverything)) return;
  throw new ApiRefusal(
    403,
    'POOL_NOT_ALLOWED',
    `token "${grant.name}" may have no disk added to pool ${quote(pool)}; name it at "pools" in the tokens file`,
  );
}
