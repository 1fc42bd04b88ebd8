import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { LocalSettings } from '../config/settings.ts';
import { createDeviceUsers } from '../device-users/device-users.ts';
import { createFreezer } from '../filesystem/freezer.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { readBootId } from '../host/boot.ts';
import { systemClock } from '../host/clock.ts';
import { runLater } from '../host/delayed-run.ts';
import { ownAddresses } from '../host/own-addresses.ts';
import { createRunner, type Runner } from '../host/run.ts';
import { sourceAddresses } from '../host/source-addresses.ts';
import { HostJoin, JOIN_TIMES, type JoinPolicy } from '../join/host-join.ts';
import { droppedRestores } from '../journal/dropped-restores.ts';
import { openFenceLog } from '../journal/fence-log.ts';
import { frozenRecord } from '../journal/frozen-record.ts';
import { createHostLock } from '../journal/host-lock.ts';
import { openJournal, type OpenJournal } from '../journal/journal.ts';
import { journalFiles } from '../journal/journal-files.ts';
import { openKnownHosts } from '../journal/known-hosts.ts';
import { requestTrace } from '../observe/logging/request-context.ts';
import type { PluginMetrics } from '../observe/metrics/plugin-metrics.ts';
import type { Log } from '../runtime/log.ts';
import { createLocalSdc, type HostSdc } from '../sdc/local-sdc.ts';
import { AddressWitness } from '../volumes/address-witness.ts';
import { OwnIdentity } from '../volumes/identity.ts';
import { rememberingHosts } from '../volumes/remembered-hosts.ts';
import { MarkerWatch } from '../volumes/takeover/marker-watch.ts';
import type { Freezer } from '../volumes/ports.ts';
import type { VolumeHost, VolumePolicy } from '../volumes/volume-host.ts';
import { filesystemsHere } from './host-filesystems.ts';
import type { Part } from './lifecycle.ts';

/** What the parts get from the program around them. */
export interface ServiceEdge {
  readonly log: Logger;
  /** Lines of the log that were lost since the start. */
  readonly droppedLines: () => number;
  readonly version: string;
  readonly ownPid: number;
  /** Ends the program in order and with a failure, where whoever runs it starts it again. */
  readonly end?: (() => void) | undefined;
  /** Where plugins of one host see each other; default /dev. */
  readonly lockDir?: string | undefined;
}

const MINUTE_MS = 60_000;
/** Seen by services and managed plugins alike, written by root alone, and empty after a boot. */
const LOCK_DIR = '/dev';

/** This host as the use cases see it, and what stands behind it. */
export interface HostParts {
  readonly host: VolumeHost;
  readonly gateway: Gateway;
  readonly runner: Runner;
  readonly journal: OpenJournal;
  readonly join: HostJoin;
  readonly freezer: Freezer;
  /** What is open on disk. */
  readonly records: readonly Part[];
  readonly mistakes?: string;
}

/**
 * Opens this host's records and builds what the use cases work with; asks nobody outside this host. Rejects with FilesystemError when
 * another process works with the state directory, and with NewerVersionError when a newer plugin wrote what is in it.
 */
export async function buildHost(
  settings: LocalSettings,
  { log, ownPid: pid, lockDir, end }: ServiceEdge,
  {
    metrics,
    gateway,
    endpoints,
  }: { readonly metrics: PluginMetrics; readonly gateway: Gateway; readonly endpoints: readonly string[] },
): Promise<HostParts> {
  const runner = loggedRunner(log);
  const owner = { files: journalFiles, bootId: await readBootId(pid), pid, clock: systemClock, log };
  const journal = await openJournal({ ...owner, dir: settings.stateDir });
  const sole = createHostLock({ ...owner, dir: lockDir ?? LOCK_DIR });
  const fences = await openFenceLog({ dir: settings.stateDir, files: journalFiles, clock: systemClock, log });
  const hosts = await openKnownHosts({ ...owner, dir: settings.stateDir, isWriter: true });
  const array = rememberingHosts(gateway, hosts);
  const sdc = localSdcOf(settings, runner, log);
  const filesystems = filesystemsHere(settings, { runner, log, owner, end });
  const witness = new AddressWitness(ownAddresses, systemClock, log);
  const identity = new OwnIdentity({ array, attacher: sdc, sole, witness }, { ...settings, endpoints });
  const join = new HostJoin(
    { sdc, array: gateway.registry, sourceAddresses, identity, clock: systemClock, log },
    joinPolicyOf(settings),
    { ...JOIN_TIMES, retryMs: settings.joinRetryMs },
  );
  const policy = policyOf(settings);
  const host: VolumeHost = {
    array,
    attacher: sdc,
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
    markers: new MarkerWatch({ array, clock: systemClock, journal, log }),
    droppedRestores: droppedRestores(settings.stateDir),
  };
  const records = [
    { name: 'the lock of this host', stop: () => sole.close() },
    { name: 'the journal', stop: () => journal.close() },
    { name: 'the names of hosts', stop: () => hosts.close() },
    { name: 'the record of fences', stop: () => fences.close() },
  ];
  const freezer = createFreezer({ runner, runLater, record: frozenRecord(settings.stateDir), log });
  return { host, gateway, runner, journal, join, freezer, records };
}

function loggedRunner(log: Log): Runner {
  return createRunner({
    observer: (report) => {
      log.debug(report, 'program ended');
    },
  });
}

function localSdcOf(settings: LocalSettings, runner: Runner, log: Log): HostSdc {
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

function joinPolicyOf({ joinMdm, joinApprove, joinName, joinRename }: LocalSettings): JoinPolicy {
  return {
    mayWriteMdm: joinMdm,
    mayApprove: joinApprove,
    name: joinName,
    mayRename: joinRename,
    hostName: hostname(),
  };
}

function policyOf(settings: LocalSettings): VolumePolicy {
  return {
    prefix: settings.prefix,
    refuseAbovePercent: settings.refuseAbove,
    failover: settings.failover,
    abandonedMountMs: MINUTE_MS,
    inheritedMountMs: 20_000,
    heldWaitMs: 10_000,
    releaseWaitMs: 300,
    cleanupMs: 15_000,
    lateMs: 5 * MINUTE_MS,
    removeGraceMs: settings.removeGraceMs,
    takeover: {
      graceMs: settings.failoverGraceMs,
      pollMs: 500,
      idleWindowMs: settings.failoverIdleWindowMs,
      moveLimit: settings.moveLimit,
      moveWindowMs: settings.moveWindowMs,
    },
  };
}
