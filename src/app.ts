import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Settings } from './config/settings.ts';
import { createDeviceUsers } from './device-users/device-users.ts';
import { createDockerServer } from './docker/server.ts';
import { activatedFd, listenOnFd, listenOnPath, type SystemdHandover } from './docker/socket.ts';
import { createFilesystems } from './filesystem/filesystems.ts';
import { readUsage } from './filesystem/usage.ts';
import { createGateway, type Gateway, type RequestReport } from './gateway/gateway.ts';
import { readBootId } from './host/boot.ts';
import { CaFile } from './host/ca-file.ts';
import { systemClock } from './host/clock.ts';
import { createRunner, type Runner } from './host/run.ts';
import { ownAddresses } from './host/own-addresses.ts';
import { sourceAddresses } from './host/source-addresses.ts';
import { openFenceLog } from './journal/fences.ts';
import { createHostLock } from './journal/host-lock.ts';
import { journalFiles } from './journal/journal-files.ts';
import { openJournal, type OpenJournal } from './journal/journal.ts';
import { HostJoin, JOIN_TIMES, type JoinPolicy } from './join/host-join.ts';
import { currentRequestId, inRequest, requestTrace } from './logging/request-context.ts';
import type { DriverCalls } from './metrics/operations.ts';
import { addPages, type Pages } from './metrics/pages.ts';
import { PluginMetrics } from './metrics/plugin-metrics.ts';
import { createMetricsServer } from './metrics/server.ts';
import { createLocalSdc, type HostSdc } from './sdc/local-sdc.ts';
import { AddressWitness } from './volumes/address-witness.ts';
import { BUILT_IN_DEFAULTS, type CreateDefaults } from './volumes/create-options.ts';
import { Driver } from './volumes/driver.ts';
import type { VolumeHost, VolumePolicy } from './volumes/host.ts';
import { SdcIdentity } from './volumes/identity.ts';
import type { Log } from './volumes/ports.ts';
import { LossWatch } from './volumes/loss-watch.ts';
import { MarkerWatch } from './volumes/marker-watch.ts';
import { ReconcileLoop } from './volumes/reconcile-loop.ts';
import { Reconciler } from './volumes/reconcile.ts';
import { TrimLoop, type TrimTotals } from './volumes/trim-loop.ts';
import { VolumeLock } from './volumes/volume-lock.ts';

/** The running plugin. */
export interface App {
  /** Stops listening, lets calls under way finish, leaves every mount in use as it is. */
  close(): Promise<void>;
}

export interface AppEdge {
  readonly log: Logger;
  /** Lines of the log that were lost since the start. */
  readonly droppedLines: () => number;
  /** Read at each log-in, so that a new password takes effect; undefined: the one of the settings. */
  readonly passwordFile?: string | undefined;
  readonly version: string;
  readonly systemd: SystemdHandover;
  /** Where plugins of one host see each other; default /dev. */
  readonly lockDir?: string | undefined;
}

/** How a program uses the gateway besides its settings. */
interface GatewayUse {
  readonly passwordFile?: string | undefined;
  readonly observer?: (report: RequestReport) => void;
}

const MINUTE_MS = 60_000;
/** Seen by services and managed plugins alike, written by root alone, and empty after a boot. */
const LOCK_DIR = '/dev';
/** For one volume. */
const TRIM_LIMIT_MS = 10 * MINUTE_MS;
/** Engines kill a plugin 10 s after asking it to end; what a call left half done the next start finishes. */
const CLOSE_MS = 5000;

/**
 * Builds all parts and listens. Nothing outside this host is asked before the socket answers, so an array that is away
 * does not keep the engine waiting. Rejects with ConfigError when the socket or the state directory cannot be had.
 */
export async function startApp(settings: Settings, edge: AppEdge): Promise<App> {
  const { log } = edge;
  const { reconcileIntervalMs } = settings;
  const metrics = new PluginMetrics({
    version: edge.version,
    droppedLines: edge.droppedLines,
    clock: systemClock,
    reconcileIntervalMs,
  });
  const parts = await buildHost(settings, edge, metrics);
  const { host, gateway, join, closeJournal } = parts;
  const lock = new VolumeLock(systemClock);
  const reconciler = metrics.observeReconciler(new Reconciler(host, lock));
  const reconciling = new ReconcileLoop(
    { ...host, reconciler },
    { intervalMs: reconcileIntervalMs, soonMs: 1000, roundMs: MINUTE_MS },
  );
  const losses = new LossWatch({ ...host, clock: systemClock, log }, { lookMs: 2000, againMs: 5000 }, () => {
    reconciling.hurry();
  });
  const driver = new Driver(host, createDefaults(settings), lock, () => {
    if (host.markers.isDue()) reconciling.hurry();
    else reconciling.nudge();
  });
  const trimming = trimLoop(settings, host, lock);
  const pages = pagesOf(metrics, parts, trimming);
  const server = createServer(metrics.observeDriver(driver), pages, log);
  await server.ready();
  const fd = activatedFd(edge.systemd);
  if (fd === undefined) await listenOnPath(server.server, settings.socket);
  else await listenOnFd(server.server, fd);
  log.info({ socket: fd === undefined ? settings.socket : `fd ${fd}`, rssMiB: residentMiB() }, 'listening');
  startJoin(join);
  reconciling.start();
  losses.start();
  sweepMountpoints(host, log);
  trimming?.start();
  const metricsServer =
    settings.metricsAddress === undefined
      ? undefined
      : createMetricsServer({ address: settings.metricsAddress, pages, clock: systemClock, log });
  return {
    close: async () => {
      await metricsServer?.close();
      const hurry = setTimeout(() => {
        server.server.closeAllConnections();
      }, CLOSE_MS);
      await server.close();
      clearTimeout(hurry);
      await join.stop();
      await losses.stop();
      await trimming?.stop();
      await reconciling.stop();
      await gateway.close();
      await closeJournal();
      log.info({}, 'stopped');
    },
  };
}

/** Under an id of its own, which no call owns. */
function startJoin(join: HostJoin): void {
  inRequest(`join-${randomUUID()}`, () => {
    join.start();
  });
}

/** What earlier lives left; nobody waits for it. */
function sweepMountpoints({ filesystems, journal }: VolumeHost, log: Log): void {
  filesystems
    .sweepMountpoints(new Set(journal.all().map(({ mountpoint }) => mountpoint)))
    .catch((error: unknown) => {
      log.warn({ error: String(error) }, 'mountpoints that nobody needs stay for now');
    });
}

function trimLoop(settings: Settings, host: VolumeHost, lock: VolumeLock): TrimLoop | undefined {
  const { trimIntervalMs: intervalMs } = settings;
  if (intervalMs === undefined) return undefined;
  const { sdc, filesystems, journal, clock, log } = host;
  const times = { intervalMs, limitMs: TRIM_LIMIT_MS, courtesyMs: 250 };
  return new TrimLoop({ sdc, filesystems, journal, lock, clock, log }, times);
}

/** The protocol of the engine, and beside it what there is to watch; all that a call sets off bears its id. */
function createServer(driver: DriverCalls, pages: Pages, log: Logger): FastifyInstance {
  const server = createDockerServer({ driver, log, newRequestId: () => randomUUID() });
  server.addHook('onRequest', (request, _reply, done) => {
    inRequest(request.id, done);
  });
  addPages(server, pages);
  return server;
}

interface HostParts {
  readonly host: VolumeHost;
  readonly gateway: Gateway;
  readonly journal: OpenJournal;
  readonly join: HostJoin;
  readonly closeJournal: () => Promise<void>;
}

function pagesOf(
  metrics: PluginMetrics,
  { host, gateway, journal }: HostParts,
  trimming: TrimLoop | undefined,
): Pages {
  const { identity, filesystems, readiness } = host;
  const gateways = (): ReturnType<Gateway['stats']> => gateway.stats();
  const trimTotals = (): TrimTotals | undefined => trimming?.totals;
  return metrics.pages({ gateways, journal, filesystems, readUsage, identity, readiness, trimTotals });
}

async function buildHost(settings: Settings, edge: AppEdge, metrics: PluginMetrics): Promise<HostParts> {
  const { log } = edge;
  const runner = createRunner({
    observer: (report) => {
      log.debug(report, 'program ended');
    },
  });
  const pid = edge.systemd.ownPid;
  const owner = { files: journalFiles, bootId: await readBootId(pid), pid, clock: systemClock, log };
  const journal = await openJournal({ ...owner, dir: settings.stateDir });
  const sole = createHostLock({ ...owner, dir: edge.lockDir ?? LOCK_DIR });
  const fences = await openFenceLog({ dir: settings.stateDir, files: journalFiles, clock: systemClock, log });
  const sdc = localSdcOf(settings, runner, log);
  const filesystems = createFilesystems({
    mountRoot: settings.mountRoot,
    undoDir: settings.stateDir,
    hostMountinfo: settings.hostMountinfo,
    runner,
    log,
  });
  const gateway = await connectGateway(settings, log, {
    passwordFile: edge.passwordFile,
    observer: (report) => {
      log.debug(report, 'gateway request ended');
      metrics.recordRequest(report);
    },
  });
  const witness = new AddressWitness(ownAddresses, systemClock, log);
  const identity = new SdcIdentity({ array: gateway, sdc, sole, witness }, settings);
  const join = new HostJoin(
    { sdc, array: gateway.registry, sourceAddresses, identity, clock: systemClock, log },
    joinPolicyOf(settings),
    { ...JOIN_TIMES, retryMs: settings.joinRetryMs },
  );
  const policy = policyOf(settings);
  const host: VolumeHost = {
    array: gateway,
    sdc,
    filesystems,
    journal,
    fences: metrics.observeFences(fences),
    clock: systemClock,
    log,
    trace: requestTrace,
    policy,
    identity,
    readiness: join,
    deviceUsers: createDeviceUsers({ ownPid: pid }),
    releasedUnrecorded: new Set(),
    markers: new MarkerWatch({ array: gateway, clock: systemClock, journal, log }),
  };
  const closeJournal = async (): Promise<void> => {
    await fences.close();
    await journal.close();
    await sole.close();
  };
  return { host, gateway, journal, join, closeJournal };
}

function localSdcOf(settings: Settings, runner: Runner, log: Log): HostSdc {
  return createLocalSdc({
    runner,
    clock: systemClock,
    log,
    drvCfgPath: settings.drvCfg,
    guid: settings.guid,
    deviceWaitMs: settings.deviceTimeoutMs,
    mdmFile: settings.joinMdmFile,
    places: { byId: settings.byIdDir },
  });
}

async function authorities({ caFile }: Settings, log: Log): Promise<(() => Promise<string>) | undefined> {
  if (caFile === undefined) return undefined;
  const file = await CaFile.open(caFile, log);
  return () => file.current();
}

/** The array behind the gateways of the settings. Asks nobody yet; rejects when the CA file cannot be read. */
export async function connectGateway(settings: Settings, log: Log, more: GatewayUse = {}): Promise<Gateway> {
  const { passwordFile, observer } = more;
  const password = settings.password.reveal();
  return createGateway({
    endpoints: settings.endpoints,
    username: settings.username,
    password: passwordFile === undefined ? password : () => passwordIn(passwordFile, password),
    ca: await authorities(settings, log),
    insecure: settings.insecure,
    ...(settings.system === undefined ? {} : systemWanted(settings.system)),
    requestTimeoutMs: settings.requestTimeoutMs,
    maxConcurrent: settings.maxConcurrent,
    owners: { current: currentRequestId, apart: (what, work) => requestTrace.apart(what, work) },
    clock: systemClock,
    log,
    observer,
  });
}

/** The last known one where the file cannot be read, as while somebody replaces it. */
async function passwordIn(file: string, known: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '') || known;
  } catch {
    return known;
  }
}

function joinPolicyOf({ joinMdm, joinApprove, joinName, joinRename }: Settings): JoinPolicy {
  return {
    mayWriteMdm: joinMdm,
    mayApprove: joinApprove,
    name: joinName,
    mayRename: joinRename,
    hostName: hostname(),
  };
}

function systemWanted(system: string): { systemId: string } | { systemName: string } {
  return /^[0-9a-f]{16}$/.test(system) ? { systemId: system } : { systemName: system };
}

function policyOf(settings: Settings): VolumePolicy {
  return {
    prefix: settings.prefix,
    pool: settings.pool,
    domain: settings.domain,
    refuseAbovePercent: settings.refuseAbove,
    failover: settings.failover,
    abandonedMountMs: MINUTE_MS,
    inheritedMountMs: 20_000,
    releaseWaitMs: 300,
    cleanupMs: 15_000,
    lateMs: 5 * MINUTE_MS,
    takeover: {
      graceMs: settings.failoverGraceMs,
      pollMs: 500,
      idleWindowMs: settings.failoverIdleWindowMs,
      moveLimit: settings.moveLimit,
      moveWindowMs: settings.moveWindowMs,
    },
  };
}

function createDefaults(settings: Settings): CreateDefaults {
  const { sizeKiB, provisioning, fs, mode, subpath } = settings;
  return { ...BUILT_IN_DEFAULTS, sizeKiB, provisioning, fs, mode, subpath };
}

function residentMiB(): number {
  return Math.round(process.memoryUsage.rss() / 1_048_576);
}
