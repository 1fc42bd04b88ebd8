import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { connectGateway } from './array-connection.ts';
import type { LoadedSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import { createDeviceUsers } from '../device-users/device-users.ts';
import { engineCheck, type EngineFacts } from '../doctor/engine-check.ts';
import { problem, type Finding } from '../doctor/finding.ts';
import { gatewayCheck, type GatewayUnderTest } from '../doctor/gateway-check.ts';
import { markerCheck, type MarkerCheckSources } from '../doctor/marker-check.ts';
import { multipathCheck } from '../doctor/multipath-check.ts';
import { poolCheck } from '../doctor/pool-check.ts';
import { runChecks, type Check } from '../doctor/run-checks.ts';
import { joinCheck, localSdcCheck, mdmCheck } from '../doctor/sdc-check.ts';
import { stateCheck, type StateSources } from '../doctor/state-check.ts';
import { toolsCheck } from '../doctor/tools-check.ts';
import { isGuard } from '../filesystem/mount-root.ts';
import { readMounts } from '../filesystem/mount-table.ts';
import { isAtOrBelow } from '../filesystem/mountinfo.ts';
import { viewGateway } from '../gateway/gateway-view.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { CaFile } from '../host/ca-file.ts';
import { systemClock } from '../host/clock.ts';
import { createRunner } from '../host/run.ts';
import { ownAddresses } from '../host/own-addresses.ts';
import { sourceAddresses } from '../host/source-addresses.ts';
import { droppedRestores } from '../journal/dropped-restores.ts';
import { journalFiles } from '../journal/journal-files.ts';
import { readRunningJournal } from '../journal/running-journal.ts';
import { KnownVolumes } from '../journal/known-volumes.ts';
import { linkedVolumes } from '../sdc/device-link.ts';
import { readMultipath } from './multipath-facts.ts';
import { createLocalSdc, type HostSdc } from '../sdc/local-sdc.ts';
import { AddressWitness } from '../volumes/address-witness.ts';
import { listTrash } from '../volumes/trash/list-trash.ts';
import { heldIn } from '../volumes/trash/trash-held.ts';
import { describeUsers } from '../volumes/device-users.ts';
import { isUnmarked } from '../volumes/takeover/failover-marker.ts';
import { OwnIdentity } from '../volumes/identity.ts';
import { ownPolicyOf } from '../volumes/options/label.ts';
import type { Log } from '../runtime/log.ts';

/** For each check, all running at once: what hangs is reported after this long. */
const LIMIT_MS = 20_000;
/** The host's /etc is at /host/etc in the managed plugin (plugin/manifest.ts). */
const MULTIPATH_PLACES = { proc: '/proc', etc: ['/etc', '/host/etc'] };

export interface Examination {
  /** Or why there are none that can be used. */
  readonly settings: LoadedSettings | Error;
  /** Undefined when the engine cannot be seen. */
  readonly readEngine: (signal: AbortSignal) => Promise<EngineFacts | undefined>;
  /** The plugin's name without tag. */
  readonly driver: string;
  readonly log: Log;
  /** Of this process, which uses no device. */
  readonly ownPid: number;
  readonly limitMs?: number;
}

/** Looks at this host and its array from all sides, changing nothing. Never rejects. */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { settings: loaded, readEngine, driver, log, ownPid, limitMs = LIMIT_MS } = examination;
  const runner = createRunner({ killAfterMs: 500, abandonAfterMs: 1000 });
  const settings = loaded instanceof Error ? undefined : loaded.settings;
  const sdc = createLocalSdc({
    runner,
    clock: systemClock,
    log,
    ...(settings === undefined
      ? {}
      : { drvCfgPath: settings.drvCfg, guid: settings.guid, places: { byId: settings.byIdDir } }),
  });
  const readMounted = async (): Promise<readonly string[] | undefined> => {
    if (settings === undefined) return undefined;
    const { journal } = await readRunningJournal({ dir: settings.stateDir, files: journalFiles });
    return journal?.filter(({ phase }) => phase === 'mounted').map(({ name }) => name);
  };
  const always = [
    engineCheck(readEngine, driver, readMounted),
    toolsCheck(runner),
    multipathCheck(() => readMultipath(MULTIPATH_PLACES)),
    localSdcCheck(sdc),
  ];
  if (loaded instanceof Error || settings === undefined) {
    const fix = 'give the settings of the plugin: docs/operations.md';
    const why = loaded instanceof Error ? loaded.message : 'there are none';
    return [problem('settings', inOneLine(why), fix), ...(await runChecks(always, limitMs))];
  }
  const gateways: Gateway[] = [];
  try {
    const array = await connectArray(settings, log, gateways);
    return await runChecks(
      [...always, ...(await arrayChecks(settings, { sdc, array, log, ownPid, gateways }))],
      limitMs,
    );
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return [problem('settings', inOneLine(says), 'correct it'), ...(await runChecks(always, limitMs))];
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.close()));
  }
}

/** Mistakes in settings come as a list. */
function inOneLine(text: string): string {
  return text.replace(/\s*\n- /, ' ').replaceAll(/\s*\n- /g, '; ');
}

async function connectArray(settings: Settings, log: Log, opened: Gateway[]): Promise<Gateway> {
  const gateway = await connectGateway(settings, log);
  opened.push(gateway);
  return gateway;
}

async function arrayChecks(
  settings: Settings,
  parts: { sdc: HostSdc; array: Gateway; log: Log; ownPid: number; gateways: Gateway[] },
): Promise<Check[]> {
  const { sdc, array, log, gateways } = parts;
  const diagnosis = { sdc, array: array.registry, sourceAddresses };
  const ca = settings.caFile === undefined ? undefined : await CaFile.open(settings.caFile, log);
  const options = { insecure: settings.insecure, hasCaFile: ca !== undefined };
  const each = settings.endpoints.map(async (endpoint) => {
    const alone = await connectArray({ ...settings, endpoints: [endpoint] }, log, gateways);
    return gatewayCheck(underTest(endpoint, alone, { ca, username: settings.username }), options);
  });
  return [
    joinCheck(diagnosis),
    mdmCheck(diagnosis),
    ...(await Promise.all(each)),
    poolCheck(array, { pool: settings.pool, domain: settings.domain }, async (poolId, signal) =>
      heldIn(await listTrash({ array, prefix: settings.prefix }, signal), poolId),
    ),
    ...stateChecks(settings, parts),
  ];
}

function stateChecks(
  settings: Settings,
  parts: { array: Gateway; sdc: HostSdc; log: Log; ownPid: number },
): Check[] {
  const sources = stateSources(settings, parts);
  const mapped = (signal: AbortSignal): ReturnType<StateSources['mapped']> => sources.mapped(signal);
  const readPolicies = (): ReturnType<MarkerCheckSources['readPolicies']> =>
    readOwnPolicies(settings.stateDir, sources, parts.log);
  return [
    stateCheck(sources),
    markerCheck({
      isUnmarked: (volume, signal) => isUnmarked(parts.array, volume, signal),
      mapped,
      readPolicies,
    }),
  ];
}

/** As the plugin that serves remembers them; read beside it. */
async function readOwnPolicies(
  dir: string,
  { readJournal }: Pick<StateSources, 'readJournal'>,
  log: Log,
): ReturnType<MarkerCheckSources['readPolicies']> {
  const known = await KnownVolumes.open({ dir, files: journalFiles, clock: systemClock, log });
  const mounted = ((await readJournal()).journal ?? []).filter(({ phase }) => phase === 'mounted');
  return new Map(
    mounted.flatMap(({ name, volumeId }) => {
      const volume = known.get(name);
      const policy = volume?.volumeId !== volumeId || volume.readOnly ? undefined : ownPolicyOf(volume);
      return policy === undefined ? [] : [[volumeId, { name, policy }] as const];
    }),
  );
}

function underTest(
  endpoint: string,
  gateway: Gateway,
  { ca, username }: { ca: CaFile | undefined; username: string },
): GatewayUnderTest {
  return {
    endpoint,
    // Read anew, as each connection that logs in reads it: both must come to the same.
    see: async (signal) => viewGateway(endpoint, await ca?.current(), signal),
    identity: (signal) => gateway.identity(signal),
    role: (signal) => gateway.roleOfUser(username, signal),
  };
}

function stateSources(
  settings: Settings,
  { array, sdc, log, ownPid }: { array: Gateway; sdc: HostSdc; log: Log; ownPid: number },
): StateSources {
  // Looks on, beside the plugin that serves.
  const sole = { claim: () => Promise.resolve(undefined) };
  const witness = new AddressWitness(ownAddresses, systemClock, log);
  const identity = new OwnIdentity({ array, attacher: sdc, sole, witness }, settings);
  const { prefix, stateDir, mountRoot, byIdDir } = settings;
  return {
    prefix,
    me: (signal) => identity.current(signal),
    mapped: async (signal) => {
      const { hostId } = await identity.current(signal);
      return array.volumesOfHost(hostId, signal);
    },
    readJournal: () => readRunningJournal({ dir: stateDir, files: journalFiles }),
    readDroppedRestores: () => droppedRestores(stateDir).all(),
    readMountpoints: async () => {
      const mounts = await readMounts('/proc/self/mountinfo');
      const ours = mounts.filter((mount) => isAtOrBelow(mount.mountpoint, mountRoot) && !isGuard(mount));
      return [...new Set(ours.map(({ mountpoint }) => mountpoint).filter((one) => one !== mountRoot))];
    },
    readUsers: async (systemId, ids, signal) => {
      const deviceUsers = createDeviceUsers({ ownPid });
      const users = new Map<string, string>();
      for (const id of ids) {
        const device = await sdc.findDevice(systemId, id);
        if (device !== undefined) users.set(id, describeUsers(await deviceUsers.usersOf(device, '', signal)));
      }
      return users;
    },
    doubt: () => identity.doubt,
    readLinks: async (systemId) => {
      const linked = linkedVolumes(byIdDir, systemId);
      return { linked, deadLinks: await deadLinksIn(byIdDir) };
    },
  };
}

async function deadLinksIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.startsWith('emc-vol-'));
  const links = names.map((name) => path.join(directory, name));
  const dead = await Promise.all(
    links.map(async (link) =>
      stat(link).then(
        () => [],
        () => [link],
      ),
    ),
  );
  return dead.flat();
}
