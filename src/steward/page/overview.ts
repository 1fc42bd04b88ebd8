import type { StewardSnapshot } from '../steward.ts';
import type { ArrayHost, LastKnownField } from '../../array/host.ts';
import type { InventoryWatch } from './inventory-watch.ts';
import type { IoWatch } from './io-watch.ts';
import { heldBy } from './movements.ts';
import { poolView } from './pool-view.ts';
import { serversOf } from './servers-view.ts';
import { inOrder, isAtRisk } from './volume-order.ts';
import type {
  Freshness,
  HolderView,
  HostView,
  Overview,
  Pulse,
  VolumeOrder,
  VolumeView,
} from './page-data.ts';
import { labelOf, lastKnownLabel, type Holder, type SeenVolume, type ArrayView } from './array-view.ts';

/** Where what is shown comes from. */
export interface OverviewSources {
  readonly snapshot: () => StewardSnapshot;
  readonly watch: Pick<InventoryWatch, 'sighting' | 'revision' | 'freshness' | 'timeline' | 'movesOf'>;
  readonly io: Pick<IoWatch, 'nowOf' | 'revision'>;
  readonly now: () => number;
  readonly prefix: string;
  /** Between two readings of the pools, ms. */
  readonly intervalMs: number;
}

/** Rounds that may be missing before pools count as stale. */
const MISSED_ROUNDS = 3;
const NOTHING: ArrayView = { at: 0, volumes: new Map(), hosts: new Map(), pools: new Map() };

/** What of it is asked for. */
export interface OverviewQuery {
  readonly search: string;
  readonly limit: number;
  readonly order: VolumeOrder;
}

/**
 * All that the page shows. `search`: words that a volume's name, pool or holder must all hold, whatever the case; `limit`: so
 * many volumes and hosts at most, the first in `order`.
 */
export function overviewOf(sources: OverviewSources, { search, limit, order }: OverviewQuery): Overview {
  const { snapshot: read, watch, io, prefix } = sources;
  const snapshot = read();
  const sighting = watch.sighting ?? NOTHING;
  const pools = poolLabelsOf(snapshot);
  const volumes = [...sighting.volumes.values()];
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = words.length === 0 ? volumes : volumes.filter(matcher(words, sighting, pools));
  return {
    ...pulseOf(sources),
    systemId: snapshot.systemId,
    systemName: snapshot.systemName,
    acts: snapshot.acts,
    prefix,
    problems: snapshot.problems,
    pools: snapshot.pools.map((pool) => poolView(pool, snapshot.trash, Date.parse(snapshot.readAt ?? ''))),
    servers: serversOf(snapshot, limit),
    hosts: hostsOf(sighting, limit),
    volumes: {
      total: volumes.length,
      attached: volumes.filter(({ holders }) => holders.length > 0).length,
      atRisk: volumes.filter((volume) => isAtRisk(volume, sighting)).length,
      matching: matching.length,
      shown: inOrder(matching, order, { sighting, io })
        .slice(0, limit)
        .map((volume) => volumeView(volume, { sighting, pools, io })),
    },
    timeline: watch.timeline(snapshot),
  };
}

/** One volume as the overview shows it. */
export function volumeViewIn({ snapshot, watch, io }: OverviewSources, volume: SeenVolume): VolumeView {
  return volumeView(volume, { sighting: watch.sighting ?? NOTHING, pools: poolLabelsOf(snapshot()), io });
}

/** Whether and since when what is shown is true. */
export function pulseOf({ snapshot: read, watch, io, now, intervalMs }: OverviewSources): Pulse {
  const snapshot = read();
  const told = [snapshot.audit, snapshot.news].flatMap((list) => [list.length, list.at(-1)?.at ?? '']);
  const space = freshnessOf(snapshot, intervalMs);
  const inventory = watch.freshness();
  const facts = [watch.revision, io.revision, snapshot.readAt ?? '', space.state, inventory.state, ...told];
  return {
    version: 1,
    at: new Date(now()).toISOString(),
    revision: facts.join(' '),
    space,
    inventory,
  };
}

function freshnessOf({ readAt, ageMs, failure }: StewardSnapshot, intervalMs: number): Freshness {
  if (failure !== null) return { readAt, state: 'unreachable', failure };
  if (readAt === null || ageMs === null) return { readAt, state: 'waiting', failure };
  return { readAt, state: ageMs > MISSED_ROUNDS * intervalMs ? 'stale' : 'current', failure };
}

function poolLabel({ domainName, name }: { readonly domainName: string; readonly name: string }): string {
  return `${domainName}/${name}`;
}

type PoolLabels = ReadonlyMap<string, string>;

function poolLabelsOf({ pools }: StewardSnapshot): PoolLabels {
  return new Map(pools.map(({ reading }) => [reading.id, poolLabel(reading)]));
}

function matcher(
  words: readonly string[],
  { hosts }: ArrayView,
  pools: PoolLabels,
): (volume: SeenVolume) => boolean {
  return ({ name, poolId, holders }) => {
    const labels = holders.map(({ hostId, address }) => labelOf(hostId, hosts, address));
    const text = [name, pools.get(poolId) ?? '', ...labels].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function volumeView(
  volume: SeenVolume,
  {
    sighting,
    pools,
    io,
  }: { readonly sighting: ArrayView; readonly pools: PoolLabels; readonly io: OverviewSources['io'] },
): VolumeView {
  const { id, name, poolId, sizeKiB, createdAtSeconds, isReadOnly, isSnapshot, attachedToAll } = volume;
  return {
    id,
    name,
    sizeKiB,
    isReadOnly,
    isSnapshot,
    isMappedToAll: attachedToAll,
    pool: pools.get(poolId) ?? poolId,
    createdAt: createdAtSeconds === null ? null : new Date(createdAtSeconds * 1000).toISOString(),
    holders: volume.holders.map((holder) => holderView(holder, sighting)),
    io: io.nowOf(id) ?? null,
  };
}

function holderView(holder: Holder, { hosts }: ArrayView): HolderView {
  const { hostId, address, since, limitIops, limitBandwidthKiBps } = holder;
  const host = hosts.get(hostId);
  return {
    sdcId: hostId,
    label: labelOf(hostId, hosts, address),
    isLastKnown: lastKnownLabel(host) !== undefined,
    ip: host?.address ?? address,
    isConnected: isConnected(host),
    since: since === null ? null : new Date(since).toISOString(),
    limitIops,
    limitBwKiBs: limitBandwidthKiBps,
  };
}

/** Those that hold volumes come first, so that a long list is cut off where it matters least. */
function hostsOf(sighting: ArrayView, limit: number): Overview['hosts'] {
  const held = heldBy(sighting);
  const hosts = [...sighting.hosts.values()]
    .map((host) => hostView(host, sighting, held.get(host.id) ?? 0))
    .sort(
      (one, other) =>
        Number(other.volumes > 0) - Number(one.volumes > 0) ||
        one.label.localeCompare(other.label, 'en', { numeric: true }),
    );
  return {
    total: hosts.length,
    matching: hosts.length,
    disconnected: hosts.filter(({ isConnected }) => isConnected === false).length,
    shown: hosts.slice(0, limit),
  };
}

function hostView(host: ArrayHost, { hosts }: ArrayView, volumes: number): HostView {
  const { id, guid, address, isApproved, version } = host;
  const ofOthers = (host.lastKnown ?? []).flatMap((field) => FIELD_ON_PAGE[field]);
  return {
    id,
    guid,
    label: labelOf(id, hosts),
    ip: address,
    isConnected: isConnected(host),
    isApproved,
    version,
    volumes,
    lastKnown: [...(lastKnownLabel(host) === undefined ? [] : ['label' as const]), ...ofOthers],
  };
}

/** What the page's data calls the fields; the name is told by its label. */
const FIELD_ON_PAGE: Readonly<Record<LastKnownField, readonly ('ip' | 'version')[]>> = {
  name: [],
  address: ['ip'],
  version: ['version'],
};

function isConnected(host: ArrayHost | undefined): boolean | null {
  return host === undefined || host.state === 'unknown' ? null : host.state === 'connected';
}
