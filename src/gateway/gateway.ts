import type { ClusterSpace, HostRegistry, Inventory, StorageArray } from '../array/storage-array.ts';
import type { ArrayCapabilities, ArrayIdentity } from '../array/system.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { ConfigError, type PluginError } from '../errors.ts';
import { smallAnswerMs } from './wire/answer-limit.ts';
import { listOf } from './wire/bodies.ts';
import { GatewayClient } from './wire/client.ts';
import { ClusterState } from './objects/cluster-state.ts';
import { parseEndpoint } from './wire/endpoints.ts';
import { EndpointFailure } from './wire/failures.ts';
import { GatewayEndpoint, type RequestOwners, type RequestReport } from './wire/gateway-endpoint.ts';
import { createHttp, type Http } from './wire/http.ts';
import { ArrayInventory } from './objects/inventory.ts';
import type { Credentials } from './wire/login.ts';
import { Mappings } from './objects/mappings.ts';
import { Pools } from './objects/pools.ts';
import { Registration } from './objects/registration.ts';
import { readSuccess, refusalOf } from './wire/replies.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './wire/retry.ts';
import { systemSchema } from './objects/schemas.ts';
import { Sdcs } from './objects/sdcs.ts';
import type { Grant } from './wire/session.ts';
import { roleOfUser } from './objects/user-role.ts';
import { Policies } from './objects/snapshot-policies.ts';
import { Activity } from './objects/volume-activity.ts';
import { VolumeChanges } from './objects/volume-changes.ts';
import { Copies } from './objects/volume-copies.ts';
import { Volumes } from './objects/volumes.ts';

export type { RequestOwners, RequestReport } from './wire/gateway-endpoint.ts';

export interface GatewayOptions {
  /** Gateways of one and the same array, in order of preference. */
  readonly endpoints: readonly string[];
  readonly username: string;
  /** A function is asked at each log-in, so that a changed secret takes effect. */
  readonly password: string | (() => Promise<string>);
  /** PEM content of the only authorities to trust; undefined: those of Node. A function, which never rejects, is asked at each connection. */
  readonly ca?: string | (() => Promise<string>) | undefined;
  readonly insecure: boolean;
  /** When set, gateways of any other array are refused. */
  readonly systemId?: string | undefined;
  readonly systemName?: string | undefined;
  /** For the first byte of a reply, and for each silence within it; an upper bound of all other limits. Default 15 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** Requests in flight per gateway. Default 16. */
  readonly maxConcurrent?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Told of each HTTP request when it is over. */
  readonly observer?: ((report: RequestReport) => void) | undefined;
  /** Default: requests bear no id. */
  readonly owners?: RequestOwners | undefined;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly log: Log;
}

const NOBODY: RequestOwners = { current: () => undefined, apart: (_what, work) => work() };

interface EndpointStats {
  readonly endpoint: string;
  readonly inFlight: number;
  readonly queued: number;
  /** False after a failure that no success has followed. */
  readonly healthy: boolean;
  readonly lastFailure: string | undefined;
}

export interface Gateway extends StorageArray {
  /** Pools, SDSs and devices, for who watches over them. */
  readonly capacity: ClusterSpace;
  /** All volumes and SDCs, for the same. */
  readonly inventory: Inventory;
  /** How hosts register. */
  readonly registry: HostRegistry;
  /** Of a user, as the array lists it; undefined when it does not. */
  roleOfUser(username: string, signal: AbortSignal): Promise<string | undefined>;
  stats(): readonly EndpointStats[];
  /** Logs out, as far as that works within a second or two, and closes all connections; calls under way fail. */
  close(): Promise<void>;
}

const LOGOUT_LIMIT_MS = 1500;
/** Of what a small answer may take, so that a gateway that cannot be connected to is known to have got nothing. */
const CONNECT_SHARE = 0.6;

/**
 * The array behind its gateways. Does nothing until the first call. Throws ConfigError for an address that is not
 * usable.
 */
export function createGateway(options: GatewayOptions): Gateway {
  if (options.endpoints.length === 0)
    throw new ConfigError('no gateway address is given; set SCALEIO_ENDPOINT');
  const requestTimeoutMs = options.requestTimeoutMs ?? 15_000;
  const maxConcurrent = options.maxConcurrent ?? 16;
  const smallMs = smallAnswerMs(options.endpoints.length, requestTimeoutMs);
  const http = createHttp({
    ca: authoritiesOf(options),
    insecure: options.insecure,
    connectTimeoutMs: CONNECT_SHARE * smallMs,
  });
  const identifier = new SystemIdentifier(options);
  const owners = options.owners ?? NOBODY;
  const endpoints = options.endpoints.map(
    (text) =>
      new GatewayEndpoint({
        address: parseEndpoint(text),
        http,
        credentials: credentialsOf(options),
        elapsed: () => options.clock.elapsed(),
        requestTimeoutMs,
        smallAnswerMs: smallMs,
        maxConcurrent,
        observer: options.observer ?? (() => undefined),
        owners,
        log: options.log,
        verify: async (endpoint, grant, signal) => {
          client.identity = await identifier.verify(endpoint, grant, signal);
        },
      }),
  );
  const client = new GatewayClient({
    endpoints,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    elapsed: () => options.clock.elapsed(),
    log: options.log,
  });
  return {
    ...partsOver(client, options.clock, owners),
    stats: () => endpoints.map(statsOf),
    close: () => closeAll(endpoints, http),
  };
}

/** In place of a gateway that is not known: every call rejects with the reason. */
export function refusingGateway(
  reason: PluginError,
  { clock, log }: Pick<GatewayOptions, 'clock' | 'log'>,
): Gateway {
  const elapsed = (): number => clock.elapsed();
  const client = new GatewayClient({ endpoints: [], retry: DEFAULT_RETRY, elapsed, log, refusal: reason });
  return { ...partsOver(client, clock, NOBODY), stats: () => [], close: () => Promise.resolve() };
}

function partsOver(
  client: GatewayClient,
  clock: GatewayOptions['clock'],
  owners: RequestOwners,
): Omit<Gateway, 'stats' | 'close'> {
  const sdcs = new Sdcs(client);
  return {
    ...storageArray({ client, sdcs }, () => clock.elapsed(), owners),
    capacity: new ClusterState(client),
    inventory: new ArrayInventory(client),
    registry: new Registration(client, sdcs),
    roleOfUser: (username, signal) => roleOfUser(client, username, signal),
  };
}

function authoritiesOf({ ca }: GatewayOptions): (() => Promise<string>) | undefined {
  return typeof ca === 'string' ? () => Promise.resolve(ca) : ca;
}

function credentialsOf({ username, password }: GatewayOptions): Credentials {
  return { username, password: typeof password === 'string' ? () => Promise.resolve(password) : password };
}

function statsOf({ name, queue, health }: GatewayEndpoint): EndpointStats {
  const { inFlight, queued } = queue;
  return { endpoint: name, inFlight, queued, healthy: health.healthy, lastFailure: health.lastReason };
}

async function closeAll(endpoints: readonly GatewayEndpoint[], http: Http): Promise<void> {
  const signal = AbortSignal.timeout(LOGOUT_LIMIT_MS);
  await Promise.allSettled(endpoints.map((endpoint) => endpoint.session.close(signal)));
  http.close();
}

function storageArray(
  { client, sdcs }: { readonly client: GatewayClient; readonly sdcs: Sdcs },
  elapsed: () => number,
  owners: RequestOwners,
): StorageArray {
  const volumes = new Volumes(client);
  const changes = new VolumeChanges(client, volumes);
  const copies = new Copies(client, volumes);
  const policies = new Policies(client, volumes);
  const activity = new Activity(client, volumes);
  const mappings = new Mappings(client, volumes, sdcs);
  const pools = new Pools(client, elapsed, owners);
  return {
    identity: (signal) => client.identify(signal),
    findVolumeId: (name, signal) => volumes.find(name, signal),
    getVolume: (id, signal) => volumes.get(id, signal),
    getVolumes: (ids, signal) => volumes.getMany(ids, signal),
    listVolumes: (passes, signal) => volumes.list(passes, signal),
    listVolumeNames: (pick, signal) => volumes.listNames(pick, signal),
    volumesOfHost: (id, signal) => volumes.ofHost(id, signal),
    recentIo: (id, signal) => volumes.recentIo(id, signal),
    volumesOfFamily: (member, signal) => volumes.ofFamily(member, signal),
    createVolume: (volume, signal) => changes.create(volume, signal),
    renameVolume: (id, name, signal) => changes.rename(id, name, signal),
    removeVolume: (id, signal) => changes.remove(id, signal),
    attachVolume: (request, signal) => mappings.map(request, signal),
    detachVolume: (id, sdcId, signal) => mappings.unmap(id, sdcId, signal),
    limitAttachment: (target, limits, signal) => mappings.limit(target, limits, signal),
    limitToReadOnly: (id, signal) => changes.limitToReadOnly(id, signal),
    allowWriting: (id, signal) => changes.allowWriting(id, signal),
    snapshotVolume: (id, name, signal) => copies.snapshotOne(id, name, signal),
    snapshotVolumes: (request, signal) => copies.snapshot(request, signal),
    overwriteContent: (target, source, signal) => copies.overwrite(target, source, signal),
    familyLimit: (signal) => copies.familyLimit(signal),
    listSnapshotPolicies: (signal) => policies.list(signal),
    findSnapshotPolicy: (name, signal) => policies.find(name, signal),
    addPolicySource: (policyId, volumeId, signal) => policies.addSource(policyId, volumeId, signal),
    removePolicySource: (policyId, volumeId, signal) => policies.removeSource(policyId, volumeId, signal),
    ioOf: (ids, signal) => activity.io(ids, signal),
    usageOfFamilies: (ids, signal) => activity.usage(ids, signal),
    growVolume: (id, sizeKiB, signal) => changes.grow(id, sizeKiB, signal),
    findHost: (guid, signal) => sdcs.findByGuid(guid, signal),
    getHost: (id, signal) => sdcs.get(id, signal),
    findPool: (wanted, signal) => pools.find(wanted, signal),
    describePool: (id, signal) => pools.describe(id, signal),
    poolUsage: (id, signal) => pools.usage(id, signal),
  };
}

const THIRD_GENERATION = 3;
const GRAIN_KIB = 8_388_608;

/**
 * Access modes, secured snapshots and snapshot policies came with 3.0 [goscaleio, PyPowerFlex]; a volume takes whole blocks of 8 GiB on
 * every version.
 */
function capabilitiesOf(version: string): ArrayCapabilities {
  const isThird = Number.parseInt(version, 10) >= THIRD_GENERATION;
  return {
    grainKiB: GRAIN_KIB,
    readOnlyLimit: isThird,
    secureSnapshots: isThird,
    snapshotPolicies: isThird,
  };
}

/**
 * Sees to it that every gateway leads to the same array, the one that is wanted: a mapping taken back at another array
 * would fence nobody.
 */
class SystemIdentifier {
  readonly #wanted: { readonly id: string | undefined; readonly name: string | undefined };
  #known: ArrayIdentity | undefined;

  constructor({ systemId, systemName }: GatewayOptions) {
    this.#wanted = { id: systemId?.toLowerCase(), name: systemName };
  }

  /** Rejects with EndpointFailure of kind wrong-system. */
  async verify(endpoint: GatewayEndpoint, grant: Grant, signal: AbortSignal): Promise<ArrayIdentity> {
    const path = '/api/types/System/instances';
    const { authorization, version } = grant;
    const systems = await endpoint.exchange(
      { method: 'GET', path, route: path, authorization, attempt: 1, signal },
      async (reply) => {
        if (reply.status >= 200 && reply.status < 300) return readSuccess(reply, listOf(systemSchema));
        throw await refusalOf(reply, 'identify the array');
      },
    );
    const { id, name } = this.#wanted;
    const matching = systems.filter(
      (system) => (id === undefined || system.id === id) && (name === undefined || system.name === name),
    );
    const system = matching.find((found) => this.#known === undefined || found.id === this.#known.systemId);
    if (system === undefined || (this.#known === undefined && matching.length > 1)) {
      const served = systems.map((found) => `"${found.id}" (${found.name ?? 'no name'})`).join(', ');
      throw new EndpointFailure(
        `serves ${served === '' ? 'no array' : `array ${served}`}, ${this.#complaint()}`,
        {
          mayHaveActed: false,
          kind: 'wrong-system',
        },
      );
    }
    const known = { systemId: system.id, name: system.name, version, capabilities: capabilitiesOf(version) };
    this.#known = known;
    return known;
  }

  #complaint(): string {
    const { id, name } = this.#wanted;
    const wanted = id ?? name;
    // Which of REX-Ray's two names for it was set, if any, is not known here: both give this one.
    if (wanted !== undefined)
      return `not "${wanted}"; check SCALEIO_SYSTEM (or SCALEIO_SYSTEMID, SCALEIO_SYSTEMNAME) and SCALEIO_ENDPOINT`;
    if (this.#known !== undefined)
      return `while the other gateways serve "${this.#known.systemId}"; check SCALEIO_ENDPOINT`;
    return 'so set SCALEIO_SYSTEM to one of them';
  }
}
