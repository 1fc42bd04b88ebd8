import type { DeviceReading, SdsReading } from '../../array/pool.ts';
import type { StewardSnapshot } from '../steward.ts';
import type { DeviceView, Overview, ServerView } from './page-data.ts';

/** Of one server; what is in trouble comes first. */
const MOST_DEVICES = 32;

/** The servers of the array with their devices, as the steward's last round read them; what is in trouble comes first. */
export function serversOf(snapshot: StewardSnapshot, limit: number): Overview['servers'] {
  const { sdss, devices } = snapshot;
  const bySds = Map.groupBy(devices, ({ sdsId }) => sdsId);
  const names = namesIn(snapshot);
  const servers = sdss
    .map((sds) => serverView(sds, bySds.get(sds.id) ?? [], names))
    .sort(
      (one, other) => weightOf(other) - weightOf(one) || one.name.localeCompare(other.name, 'en', NUMERIC),
    );
  return {
    total: servers.length,
    matching: servers.length,
    troubled: servers.filter(({ trouble }) => trouble !== null).length,
    devices: devices.length,
    troubledDevices: devices.filter(({ trouble }) => trouble !== undefined).length,
    shown: servers.slice(0, limit),
  };
}

const NUMERIC = { numeric: true } as const;

interface Names {
  readonly pools: ReadonlyMap<string, string>;
  readonly domains: ReadonlyMap<string, string>;
}

function namesIn({ pools }: StewardSnapshot): Names {
  return {
    pools: new Map(pools.map(({ reading }) => [reading.id, `${reading.domainName}/${reading.name}`])),
    domains: new Map(pools.map(({ reading }) => [reading.domainId, reading.domainName])),
  };
}

function weightOf({ trouble, troubledDevices }: ServerView): number {
  return trouble === null ? Math.sign(troubledDevices) : 2;
}

function serverView(
  { id, name, domainId, trouble }: SdsReading,
  devices: readonly DeviceReading[],
  { pools, domains }: Names,
): ServerView {
  const views = devices
    .map((device) => deviceView(device, pools))
    .sort(
      (one, other) =>
        Number(other.trouble !== null) - Number(one.trouble !== null) ||
        one.name.localeCompare(other.name, 'en', NUMERIC),
    );
  return {
    id,
    name,
    domain: domains.get(domainId) ?? domainId,
    trouble: trouble ?? null,
    limitKiB: devices.reduce((sum, { limitKiB }) => sum + limitKiB, 0),
    devices: devices.length,
    troubledDevices: views.filter((device) => device.trouble !== null).length,
    shownDevices: views.slice(0, MOST_DEVICES),
  };
}

function deviceView(
  { id, name, paths, poolId, trouble, limitKiB }: DeviceReading,
  pools: Names['pools'],
): DeviceView {
  const [path = null] = paths;
  const pool = poolId === null ? null : (pools.get(poolId) ?? poolId);
  return { id, name: name ?? path ?? id, path, pool, trouble: trouble ?? null, limitKiB };
}
