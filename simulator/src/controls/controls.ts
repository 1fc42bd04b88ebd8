import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { SimulatedGateway } from '../gateway/simulated-gateway.ts';
import type { Sessions } from '../gateway/sessions.ts';
import type { SimulatedArray } from '../array/array.ts';
import { fillPool } from '../array/fill-pool.ts';
import { capacityOf } from '../mdm/capacity.ts';
import { setDeviceFailed, setSdsConnected } from '../mdm/devices.ts';
import { plugDisk, unplugDisk } from '../mdm/disks.ts';
import { setNvmeHost } from '../mdm/nvme-hosts.ts';
import type { SeedRequest } from '../array/seed.ts';
import type { Faults } from '../faults/faults.ts';
import type { RequestLog } from '../faults/request-log.ts';

const ruleSchema = z.strictObject({
  kind: z.enum(['error', 'cut', 'reply-lost', 'delay']),
  path: z.string().optional(),
  method: z.string().optional(),
  count: z.int().positive().optional(),
  after: z.int().min(0).optional(),
  gateway: z.int().min(0).optional(),
  status: z.int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  delayMs: z.number().min(0).optional(),
});
const latencySchema = z.strictObject({
  fixedMs: z.number().min(0).default(0),
  jitterMs: z.number().min(0).default(0),
});
const gatewaySchema = z.strictObject({ gateway: z.int().min(0), up: z.boolean() });
const failoverSchema = z.strictObject({ seconds: z.number().min(0) });
const sdcSchema = z.strictObject({ guid: z.string(), silent: z.boolean() });
const nvmeHostSchema = z.strictObject({
  nqn: z.string().startsWith('nqn.'),
  name: z.string().nullable().default(null),
  controllers: z.array(z.boolean().nullable()),
  volumeIds: z.array(z.string()).default([]),
});
const deviceSchema = z.strictObject({
  volumeId: z.string().optional(),
  fault: z.union([z.literal('never'), z.literal('wrong'), z.number().min(0), z.null()]),
});
const poolSchema = z.strictObject({ poolId: z.string(), fillPercent: z.number().min(0).max(100) });
const diskSchema = z.strictObject({
  sdsId: z.string(),
  path: z.string(),
  present: z.boolean().default(true),
  gib: z.int().positive().default(4096),
  holds: z.string().nullable().default(null),
  broken: z.enum(['open', 'write']).nullable().default(null),
});
const failedSchema = z.strictObject({ deviceId: z.string(), failed: z.boolean() });
const sdsSchema = z.strictObject({ sdsId: z.string(), connected: z.boolean() });
const seedSchema = z.strictObject({
  count: z.int().min(1),
  prefix: z.string().optional(),
  poolId: z.string().optional(),
  sizeGiB: z.int().positive().optional(),
});

/** What the controls control; the simulator itself. */
export interface Controlled {
  readonly array: SimulatedArray;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly sessions: Sessions;
  readonly gateways: readonly SimulatedGateway[];
  readonly mdmUrl: string;
  seed(request: SeedRequest): Promise<string[]>;
  silence(guid: string, silent?: boolean): void;
}

/** Adds /simulator: what tests and the curious make the array do. No authentication, so only when asked for. */
export function addControls(app: FastifyInstance, simulator: Controlled): void {
  const { faults, requests, sessions } = simulator;
  void app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (__, body, parsed) => {
      try {
        parsed(null, JSON.parse(String(body) || '{}'));
      } catch (error) {
        parsed(error instanceof Error ? error : new Error(String(error)));
      }
    });
    scope.setErrorHandler((error, __, reply) => {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      return reply.code(400).send({ message });
    });
    scope.get('/simulator/state', () => stateOf(simulator));
    scope.get('/simulator/requests', () => requests.all());
    scope.delete('/simulator/requests', () => {
      requests.clear();
      return {};
    });
    scope.get('/simulator/rules', () => faults.rules());
    scope.post('/simulator/rules', (request) => ({ id: faults.add(ruleSchema.parse(request.body)) }));
    scope.delete<{ Params: { id: string } }>('/simulator/rules/:id', (request) => {
      faults.remove(Number(request.params.id));
      return {};
    });
    scope.delete('/simulator/faults', () => {
      faults.clear();
      resendVolumes(simulator.array);
      return {};
    });
    scope.post('/simulator/latency', (request) => {
      faults.latency = latencySchema.parse(request.body);
      return {};
    });
    scope.post('/simulator/failover', (request) => {
      faults.failOver(failoverSchema.parse(request.body).seconds);
      return {};
    });
    scope.post('/simulator/tokens/revoke', () => ({ revoked: sessions.revokeAll() }));
    addArrayControls(scope, simulator);
    done();
  });
}

function addArrayControls(scope: FastifyInstance, simulator: Controlled): void {
  const { array, faults } = simulator;
  scope.post('/simulator/gateways', (request) => switchGateway(simulator, request));
  scope.post('/simulator/sdcs', (request) => {
    const { guid, silent } = sdcSchema.parse(request.body);
    simulator.silence(guid, silent);
    return {};
  });
  scope.post('/simulator/nvme-hosts', async (request) => {
    const host = nvmeHostSchema.parse(request.body);
    const { id } = await array.perform((cluster) => setNvmeHost(cluster, host));
    return { id };
  });
  scope.post('/simulator/devices', (request) => {
    const { volumeId, fault } = deviceSchema.parse(request.body);
    faults.setDeviceFault(volumeId, fault ?? undefined);
    resendVolumes(array);
    return {};
  });
  scope.post('/simulator/pools', async (request) => {
    const { poolId, fillPercent } = poolSchema.parse(request.body);
    return { fillKiB: await fillPool(array, poolId, fillPercent) };
  });
  scope.post('/simulator/sds', async (request) => {
    const { sdsId, connected } = sdsSchema.parse(request.body);
    await array.measure();
    await array.perform((cluster) => {
      setSdsConnected(cluster, sdsId, connected);
    });
    return {};
  });
  scope.post('/simulator/disks', async (request) => {
    const { sdsId, path, present, gib, holds, broken } = diskSchema.parse(request.body);
    await array.perform((cluster) => {
      if (present) plugDisk(cluster, { sdsId, path, sizeKiB: gib * 1024 * 1024, holds, broken });
      else unplugDisk(cluster, { sdsId, path });
    });
    return {};
  });
  scope.post('/simulator/failed-devices', async (request) => {
    const { deviceId, failed } = failedSchema.parse(request.body);
    await array.measure();
    await array.perform((cluster) => {
      setDeviceFailed(cluster, deviceId, failed);
    });
    return {};
  });
  scope.post('/simulator/seed', async (request) => {
    const ids = await simulator.seed(seedSchema.parse(request.body));
    return { count: ids.length, first: ids[0], last: ids.at(-1) };
  });
  scope.post('/simulator/compact', async () => {
    await array.compact();
    return {};
  });
}

/** Device faults travel with the lists. */
function resendVolumes(array: SimulatedArray): void {
  for (const sdcId of array.connections.connected()) array.hosts.sendVolumes(sdcId);
}

/** A gateway may be asked through itself to go down: it answers first. */
async function switchGateway(simulator: Controlled, request: FastifyRequest): Promise<object> {
  const { gateway: number, up } = gatewaySchema.parse(request.body);
  const gateway = simulator.gateways[number];
  if (gateway === undefined) throw new Error(`there is no gateway ${number}`);
  if (up) await gateway.up();
  else setImmediate(() => void gateway.down());
  return {};
}

function stateOf(simulator: Controlled): object {
  const { array, gateways, faults, mdmUrl } = simulator;
  const { state } = array.cluster;
  return {
    version: array.settings.version,
    systemId: state.system().id,
    mdmUrl,
    gateways: gateways.map((gateway) => ({ url: gateway.url, up: gateway.isUp })),
    volumes: state.volumes.size,
    sessions: simulator.sessions.count,
    nvmeHosts: [...state.nvmeHosts.values()],
    pools: [...state.pools.values()].map((pool) => ({
      id: pool.id,
      name: pool.name,
      usedPercent: capacityOf(array.cluster, pool).usedPercent,
      devices: state.devices.many(state.devicesByPool.ids(pool.id)),
    })),
    sdss: [...state.sdss.values()].map(({ id, name, connected }) => ({ id, name, connected })),
    sdcs: [...state.sdcs.values()].map((sdc) => ({
      id: sdc.id,
      guid: sdc.guid,
      name: sdc.name,
      ip: sdc.ip,
      connected: array.connections.isConnected(sdc.id),
      silent: faults.silent.has(sdc.guid),
      volumes: array.hosts.volumesOf(sdc.id).map((volume) => volume.volumeId),
    })),
    rules: faults.rules(),
    latency: faults.latency,
  };
}
