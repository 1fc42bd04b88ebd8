import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { connectGateway } from './array-connection.ts';
import type { SettingsFlags } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import { createDeviceUsers } from '../device-users/device-users.ts';
import { FilesystemError } from '../errors.ts';
import { isDeviceHeld } from '../filesystem/exclusive-open.ts';
import { parseMountinfo } from '../filesystem/mountinfo.ts';
import { readUsage } from '../filesystem/usage.ts';
import { readBootId } from '../host/boot.ts';
import { systemClock } from '../host/clock.ts';
import { ownAddresses } from '../host/own-addresses.ts';
import { createRunner, type Runner } from '../host/run.ts';
import { postToUnixSocket } from '../host/unix-socket.ts';
import { droppedRestores } from '../journal/dropped-restores.ts';
import { FORCED_FENCES_FILE, openFenceLog } from '../journal/fence-log.ts';
import { openKnownHosts } from '../journal/known-hosts.ts';
import { readMappedHere } from '../journal/mapped-here.ts';
import { readRunningJournal } from '../journal/running-journal.ts';
import { journalFiles } from '../journal/journal-files.ts';
import { DOOR_SOCKET } from '../operator/calls.ts';
import { doorClient } from '../operator/door-client.ts';
import { createLocalSdc } from '../sdc/local-sdc.ts';
import { AddressWitness } from '../volumes/address-witness.ts';
import { OwnIdentity } from '../volumes/identity.ts';
import { rememberingHosts } from '../volumes/remembered-hosts.ts';
import { VolumeOperator } from '../volumes/takeover/operator.ts';
import { dataActionsWithout } from '../volumes/data-actions.ts';
import { trashActionsWithout } from '../volumes/trash/trash-actions.ts';
import { lifeActionsWithout } from '../volumes/life/life-actions.ts';
import { VolumeLock } from '../volumes/life/volume-lock.ts';
import type { OperatorActions } from '../volumes/operator-actions.ts';
import { newVolumesOf } from './create-defaults.ts';
import { operateVolumes } from './operated-volumes.ts';
import { toldWhenSlow } from './told-when-slow.ts';
import { pluginOrSelf } from './plugin-or-self.ts';
import { asVolumeId } from '../array/ids.ts';
import type { StorageArray } from '../array/storage-array.ts';
import type { Log } from '../runtime/log.ts';
import type { DeviceUser, HostVolume } from '../volumes/ports.ts';
import type { VolumeHost } from '../volumes/volume-host.ts';
import type { ReleasingHost } from '../volumes/upkeep/unclaimed-release.ts';
import type { ProcessIo } from '../cli/process-io.ts';
import { settingsOf } from '../cli/settings-flags.ts';
import type { HostMemory, MountedHere } from '../cli/volume-facts.ts';

/** An array that does not answer must not hold a terminal for ever. */
const SESSION_LIMIT_MS = 60_000;
/** For one change, ms; the plugin gives up on it a little sooner, and says why. */
export const ACTION_LIMIT_MS = 125_000;

/** What the volume commands work with. */
export interface Session {
  readonly operator: VolumeOperator;
  readonly memory: HostMemory;
  readonly host: ReleasingHost;
  readonly prefix: string;
  /** How long a removed volume can be had back, ms; 0: not at all. */
  readonly removeGraceMs: number;
  /** What changes something: done by the plugin where it runs. */
  readonly actions: OperatorActions;
  /** What the plugin on this host is doing; rejects when its journal cannot be read. */
  readonly entries: () => Promise<readonly HostVolume[]>;
  readonly signal: AbortSignal;
}

/** Opens the array and this host with the plugin's settings, to look at both beside the plugin that serves it, and closes them after the work. */
export async function inSession(
  io: ProcessIo,
  flags: SettingsFlags,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const { settings } = settingsOf(io, flags);
  const log = warningsTo(io);
  const gateway = await connectGateway(settings, log);
  const journalled = { dir: settings.stateDir, files: journalFiles, clock: systemClock, log };
  // The running plugin writes its own file, so what is forced from here goes into another.
  const fences = await openFenceLog({ ...journalled, log: onlyErrors(log), name: FORCED_FENCES_FILE });
  const hosts = await openKnownHosts({ ...journalled, isWriter: false });
  const array = rememberingHosts(gateway, hosts);
  const parts = { array, clock: systemClock, fences };
  try {
    const operator = new VolumeOperator(parts, settings);
    const runner = createRunner();
    const host = operatedHost(io, { settings, array, runner, log });
    const memory = {
      mappedHere: await readMappedHere(journalled),
      lastFence: (volumeId: string) => fences.latest(volumeId),
      droppedRestore: async (volumeId: string) =>
        (await droppedRestores(settings.stateDir).all()).find((one) => one.volumeId === volumeId),
      mountedHere: mountsHere(journalled),
      usersHere: (volumeId: string, limit: AbortSignal) => usersHere(host, volumeId, limit),
    };
    const entries = (): Promise<readonly HostVolume[]> => entriesBeside(settings.stateDir);
    const signal = AbortSignal.timeout(SESSION_LIMIT_MS);
    const { stateDir, prefix, removeGraceMs } = settings;
    const lock = new VolumeLock(systemClock);
    const self = operateVolumes(
      { ...host, ...parts, log, runner, stateDir, prefix, lock, entries },
      {
        ...dataActionsWithout({ array, clock: systemClock, log, prefix, lock }),
        ...trashActionsWithout({ array, prefix, clock: systemClock, removeGraceMs }),
        ...lifeActionsWithout({ array, prefix, lock }, newVolumesOf(settings)),
        lookAtRoom: () => Promise.resolve(null),
      },
    );
    const directory = { ...journalled, pid: io.pid, bootId: await readBootId(io.pid) };
    const say = (line: string): void => void io.stderr.write(`${line}\n`);
    const asked = pluginOrSelf({ plugin: pluginIn(stateDir), self, directory, say });
    // Somebody sits there and waits.
    const actions = io.ask === undefined ? asked : toldWhenSlow(asked, { clock: systemClock, say });
    await work({ operator, memory, host, prefix, removeGraceMs, actions, entries, signal });
  } finally {
    await fences.close();
    await gateway.close();
  }
}

/** The plugin that works with the directory, if one runs. */
function pluginIn(stateDir: string): OperatorActions {
  const socketPath = path.join(stateDir, DOOR_SOCKET);
  return doorClient(socketPath, (call, body, signal) =>
    postToUnixSocket({ socketPath, path: call, signal }, body),
  );
}

interface OperatedParts {
  readonly settings: Settings;
  readonly array: StorageArray;
  readonly runner: Runner;
  readonly log: Log;
}

/** This host as it is without a plugin. */
function operatedHost(
  io: ProcessIo,
  { settings, array, runner, log }: OperatedParts,
): Pick<VolumeHost, 'array' | 'attacher' | 'identity' | 'deviceUsers'> & ReleasingHost {
  const sdc = createLocalSdc({
    runner,
    clock: systemClock,
    log,
    drvCfgPath: settings.drvCfg,
    guid: settings.guid,
    places: { byId: settings.byIdDir },
  });
  const sole = { claim: () => Promise.resolve(undefined) };
  const witness = new AddressWitness(ownAddresses, systemClock, log);
  return {
    array,
    attacher: sdc,
    identity: new OwnIdentity({ array, attacher: sdc, sole, witness }, settings),
    deviceUsers: createDeviceUsers({ ownPid: io.pid }),
    filesystems: { isHeld: isDeviceHeld },
  };
}

/** Who uses the volume's device on this host; undefined where it has none. */
async function usersHere(
  { array, attacher: sdc, deviceUsers }: ReleasingHost,
  volumeId: string,
  signal: AbortSignal,
): Promise<readonly DeviceUser[] | undefined> {
  const { systemId } = await array.identity(signal);
  const device = await sdc.findDevice(systemId, asVolumeId(volumeId));
  return device === undefined ? undefined : deviceUsers.usersOf(device, '', signal);
}

/** What the plugin that works with the directory has mounted of a volume; undefined where it has not, or that cannot be told. The journal is read once. */
function mountsHere(journalled: Parameters<typeof readRunningJournal>[0]): HostMemory['mountedHere'] {
  let running: ReturnType<typeof readRunningJournal> | undefined;
  return async (volumeId) => {
    running ??= readRunningJournal(journalled);
    const { journal = [] } = await running;
    const entry = journal.find((one) => one.volumeId === volumeId && one.phase === 'mounted');
    return entry === undefined ? undefined : usedAt(entry.mountpoint);
  };
}

async function usedAt(mountpoint: string): Promise<MountedHere | undefined> {
  try {
    const usage = await readUsage(mountpoint);
    if (usage === undefined) return undefined;
    const mounts = parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
    const filesystem = mounts.findLast((mount) => mount.mountpoint === mountpoint)?.fsType ?? null;
    return { filesystem, usedKiB: Math.round(usage.usedBytes / 1024) };
  } catch {
    return undefined; // the plugin sees its mounts in a namespace of its own, or has just let go of this one
  }
}

async function entriesBeside(stateDir: string): Promise<readonly HostVolume[]> {
  const { journal, journalTrouble = '' } = await readRunningJournal({ dir: stateDir, files: journalFiles });
  if (journal !== undefined) return journal;
  throw new FilesystemError(
    `cannot tell what the plugin on this host is doing: journal ${journalTrouble}; nothing was done, give its --state-dir`,
  );
}

/** What a fence log tells of a fence is what the command itself says. */
function onlyErrors(log: Log): Log {
  const silent = (): void => undefined;
  const error = (facts: object, message: string): void => {
    log.error(facts, message);
  };
  return { debug: silent, info: silent, warn: silent, error };
}

function warningsTo(io: ProcessIo): Log {
  const write = (facts: object, message: string): void => {
    io.stderr.write(`${message} ${JSON.stringify(facts)}\n`);
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: write, error: write };
}
