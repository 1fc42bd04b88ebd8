import { randomUUID } from 'node:crypto';
import { connectGateway, realmOf } from './array-connection.ts';
import type { LocalSettings, Settings } from '../config/settings.ts';
import { refusingDriver, withoutChanges } from '../docker/refusing-driver.ts';
import type { VolumeDriver } from '../docker/volume-driver.ts';
import type { PluginError } from '../errors.ts';
import { VolumeUsage } from '../observe/metrics/volume-usage.ts';
import { readUsage } from '../filesystem/usage.ts';
import { refusingGateway, type Gateway } from '../gateway/gateway.ts';
import { systemClock } from '../host/clock.ts';
import type { HostJoin } from '../join/host-join.ts';
import { inRequest } from '../observe/logging/request-context.ts';
import type { Pages } from '../observe/metrics/pages.ts';
import { PluginMetrics } from '../observe/metrics/plugin-metrics.ts';
import { newVolumesOf } from './create-defaults.ts';
import { Lifecycle, partOf, type Part } from './lifecycle.ts';
import { operateVolumes } from './operated-volumes.ts';
import { buildHost, type HostParts, type ServiceEdge } from './plugin-host.ts';
import { refusingActions } from './operator-door.ts';
import type { Realm } from '../operator/realm.ts';
import { Driver } from '../docker/driver.ts';
import type { VolumeHost } from '../volumes/volume-host.ts';
import type { Log } from '../runtime/log.ts';
import { dataActionsOn } from '../volumes/data-actions.ts';
import { AutoGrowth } from '../volumes/growth/auto-growth.ts';
import { lifeActionsOn } from '../volumes/life/life-actions.ts';
import { DeviceGrowth } from '../volumes/growth/device-growth.ts';
import { trashActionsOn } from '../volumes/trash/trash-actions.ts';
import { UndeleteWatch } from '../volumes/trash/undelete-watch.ts';
import { LossWatch } from '../volumes/upkeep/loss-watch.ts';
import { ReconcileLoop } from '../volumes/upkeep/reconcile-loop.ts';
import { Reconciler } from '../volumes/upkeep/reconcile.ts';
import { TrimLoop, type TrimTotals } from '../volumes/upkeep/trim-loop.ts';
import { VolumeLock } from '../volumes/life/volume-lock.ts';
import type { NewVolumes } from '../volumes/options/classes.ts';
import { arrayNameFor } from '../volumes/naming.ts';
import type { OperatorActions } from '../volumes/operator-actions.ts';
import type { Freezer, HostVolume } from '../volumes/ports.ts';
import { asVolumeName } from '../volumes/volume.ts';

/** The plugin's parts under one set of settings. */
export interface PluginService {
  readonly driver: VolumeDriver;
  readonly actions: OperatorActions;
  /** The state directory that it has taken; undefined where it has none. */
  readonly stateDir: string | undefined;
  readonly pages: Pages;
  /** Whose volumes it works on; rejects with a PluginError while that is not known. */
  readonly realm: (signal: AbortSignal) => Promise<Realm>;
  /** Begins what goes on without a call: joining, reconciling, trimming. */
  start(): Promise<void>;
  /** Stops that, gives back journal and locks, leaves every mount in use as it is. */
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
/** Between looks at volumes that were brought back, ms. */
const LOOK_AFTER_MS = 20_000;
const GROWTH_TIMES = { lookMs: 2000, limitMs: 100_000, rescanMs: 1000 };
/** Of pools, above which no volume grows by itself, where the operator has not said above which none is made. */
const POOL_LIMIT_PERCENT = 95;
/** For one volume. */
const TRIM_LIMIT_MS = 10 * MINUTE_MS;

/**
 * Builds all parts; asks nobody outside this host. `passwordFile` is read at each log-in, so that a new password takes effect.
 * Rejects with FilesystemError when another process works with the state directory, with NewerVersionError when a newer plugin wrote
 * what is in it, and with node:fs's error when the CA file cannot be read.
 */
export async function openService(
  { settings, passwordFile }: { readonly settings: Settings; readonly passwordFile?: string | undefined },
  io: ServiceEdge,
): Promise<PluginService> {
  const { log } = io;
  const metrics = newMetrics(settings, io);
  const gateway = await connectGateway(settings, log, {
    passwordFile,
    observer: (report) => {
      log.debug(report, 'gateway request ended');
      metrics.recordRequest(report);
    },
  });
  const parts = await orClosed(gateway, () =>
    buildHost(settings, io, { metrics, gateway, endpoints: settings.endpoints }),
  );
  const { host, join, records, freezer } = parts;
  const lock = volumeLock(settings);
  const growth = new DeviceGrowth({ ...host, lock }, GROWTH_TIMES);
  const autoGrowth = autoGrowthOn(settings, host, { lock, growth });
  const reconciler = metrics.observeReconciler(new Reconciler(host, lock, growth));
  const reconciling = reconcileLoop(settings, host, reconciler);
  const losses = new LossWatch({ ...host, clock: systemClock, log }, { lookMs: 2000, againMs: 5000 }, () => {
    reconciling.hurry();
  });
  const newVolumes = newVolumesOf(settings);
  const driver = new Driver(host, newVolumes, lock, () => {
    if (host.markers.isDue()) reconciling.hurry();
    else reconciling.nudge();
  });
  const broughtBack = undeleteWatch(host);
  const trimming = trimLoop(settings, host, lock);
  const usage = usageOn(host);
  const lifecycle = new Lifecycle(
    [
      ...records,
      { name: 'thawing what an earlier life froze', start: () => freezer.thawLeft() },
      { name: 'the connection to the array', stop: () => gateway.close() },
      joiningPart(join),
      partOf('reconciling', reconciling),
      partOf('watching the devices', losses),
      partOf('watching the sizes of devices', growth),
      partOf('growing volumes that get full', autoGrowth),
      partOf('looking after what was brought back', broughtBack),
      sweepingPart(host, log),
      ...(trimming === undefined ? [] : [partOf('trimming', trimming)]),
    ],
    { clock: systemClock, log },
  );
  return {
    driver: metrics.observeDriver(driver),
    actions: actionsOn(parts, settings, { lock, growth, freezer, newVolumes, broughtBack, usage }),
    stateDir: settings.stateDir,
    pages: pagesOf(metrics, parts, { usage, trimming }),
    realm: realmOf(gateway, settings),
    start: () => lifecycle.start(),
    close: () => lifecycle.stop(),
  };
}

/**
 * What is left where the settings have mistakes: containers keep what they have mounted and can let go of it, Get answers for what
 * this host knows, and everything that needs the array is answered with the mistakes. Rejects as openService does.
 */
export async function openFlawedService(
  settings: LocalSettings,
  mistakes: PluginError,
  io: ServiceEdge,
): Promise<PluginService> {
  const { log } = io;
  const metrics = newMetrics(settings, io);
  const gateway = refusingGateway(mistakes, { clock: systemClock, log });
  const parts = await buildHost(settings, io, { metrics, gateway, endpoints: [] });
  const readiness = { problem: () => undefined, doubt: () => undefined };
  const host = { ...parts.host, readiness };
  const driver = new Driver(host, newVolumesOf(settings), volumeLock(settings), () => undefined);
  return {
    driver: metrics.observeDriver(withoutChanges(driver, mistakes)),
    actions: refusingActions(mistakes),
    stateDir: settings.stateDir,
    pages: pagesOf(metrics, { ...parts, host, mistakes: mistakes.message }, { usage: usageOn(host) }),
    realm: () => Promise.reject(mistakes),
    start: () => parts.freezer.thawLeft(),
    close: () => new Lifecycle(parts.records, { clock: systemClock, log }).stop(),
  };
}

/** Where not even this host's own records can be had: every call is answered with the reason. */
export function refusingService(reason: PluginError, io: ServiceEdge): PluginService {
  const metrics = newMetrics(undefined, io);
  return {
    driver: metrics.observeDriver(refusingDriver(reason)),
    actions: refusingActions(reason),
    stateDir: undefined,
    pages: metrics.pagesWithout(reason.message),
    realm: () => Promise.reject(reason),
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** One for all who look, because a dead device keeps a thread of few. */
function usageOn({ journal, filesystems }: Pick<VolumeHost, 'journal' | 'filesystems'>): VolumeUsage {
  return new VolumeUsage({ journal, filesystems, readUsage });
}

/** Work that knows a volume by its name on the array alone takes its turn with the calls, too. */
function volumeLock({ prefix }: LocalSettings): VolumeLock {
  return new VolumeLock(systemClock, (name) => arrayNameFor(prefix, asVolumeName(name)));
}

function actionsOn(
  { host, runner }: HostParts,
  { stateDir, prefix }: LocalSettings,
  own: {
    readonly lock: VolumeLock;
    readonly growth: DeviceGrowth;
    readonly freezer: Freezer;
    readonly newVolumes: NewVolumes;
    readonly broughtBack: UndeleteWatch;
    readonly usage: Pick<VolumeUsage, 'of'>;
  },
): OperatorActions {
  const { lock } = own;
  const entries = (): Promise<readonly HostVolume[]> => Promise.resolve(host.journal.all());
  const others = {
    ...dataActionsOn(host, own),
    ...trashActionsOn(host, lock, own.broughtBack),
    ...lifeActionsOn(host, lock, own.newVolumes),
    lookAtRoom: async ({ volumeId }) => (await own.usage.of(volumeId)) ?? null,
  } satisfies Parameters<typeof operateVolumes>[1];
  return operateVolumes({ ...host, runner, stateDir, prefix, lock, entries }, others);
}

function newMetrics(
  settings: Pick<LocalSettings, 'reconcileIntervalMs'> = { reconcileIntervalMs: MINUTE_MS },
  { version, droppedLines }: ServiceEdge,
): PluginMetrics {
  const { reconcileIntervalMs } = settings;
  return new PluginMetrics({ version, droppedLines, clock: systemClock, reconcileIntervalMs });
}

/** A gateway that nobody is going to use is closed. */
async function orClosed<T>(gateway: Gateway, failing: () => Promise<T>): Promise<T> {
  try {
    return await failing();
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

/** Under an id of its own, which no call owns. */
function joiningPart(join: HostJoin): Part {
  const start = (): void => {
    inRequest(`join-${randomUUID()}`, () => {
      join.start();
    });
  };
  return { name: 'joining the storage', start, stop: () => join.stop() };
}

/** Mountpoints that earlier lives left; nobody waits for it. */
function sweepingPart({ filesystems, journal }: VolumeHost, log: Log): Part {
  const start = (): void => {
    filesystems
      .sweepMountpoints(new Set(journal.all().map(({ mountpoint }) => mountpoint)))
      .catch((error: unknown) => {
        log.warn({ error: String(error) }, 'mountpoints that nobody needs stay for now');
      });
  };
  return { name: 'sweeping mountpoints', start };
}

function reconcileLoop(
  { reconcileIntervalMs: intervalMs }: Settings,
  host: VolumeHost,
  reconciler: Pick<Reconciler, 'run'>,
): ReconcileLoop {
  return new ReconcileLoop({ ...host, reconciler }, { intervalMs, soonMs: 1000, roundMs: MINUTE_MS });
}

function undeleteWatch(host: VolumeHost): UndeleteWatch {
  const { prefix, lateMs } = host.policy;
  return new UndeleteWatch({ ...host, prefix }, { lookMs: LOOK_AFTER_MS, lateMs });
}

function trimLoop(settings: LocalSettings, host: VolumeHost, lock: VolumeLock): TrimLoop | undefined {
  const { trimIntervalMs: intervalMs } = settings;
  if (intervalMs === undefined) return undefined;
  const { attacher, filesystems, journal, clock, log, trace } = host;
  const times = { intervalMs, limitMs: TRIM_LIMIT_MS, courtesyMs: 250 };
  return new TrimLoop({ attacher, filesystems, journal, lock, clock, log, trace }, times);
}

function autoGrowthOn(
  { refuseAbove }: Settings,
  host: VolumeHost,
  { lock, growth }: { readonly lock: VolumeLock; readonly growth: DeviceGrowth },
): AutoGrowth {
  const follow: DeviceGrowth['follow'] = (name, sizeKiB, signal) => growth.follow(name, sizeKiB, signal);
  return new AutoGrowth(
    { ...host, follow, usage: readUsage, lock },
    {
      lookMs: 1000,
      coolDownMs: 10_000,
      againMs: MINUTE_MS,
      limitMs: 30_000,
      poolLimitPercent: refuseAbove ?? POOL_LIMIT_PERCENT,
    },
  );
}

function pagesOf(
  metrics: PluginMetrics,
  { host, gateway, journal, mistakes }: HostParts,
  { usage, trimming }: { readonly usage: VolumeUsage; readonly trimming?: TrimLoop | undefined },
): Pages {
  const { identity, readiness } = host;
  const gateways = (): ReturnType<Gateway['stats']> => gateway.stats();
  const trimTotals = (): TrimTotals | undefined => trimming?.totals;
  return metrics.pages({
    gateways,
    journal,
    usage,
    identity,
    readiness,
    trimTotals,
    mistakes,
  });
}
