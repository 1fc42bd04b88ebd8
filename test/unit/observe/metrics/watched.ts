import type { CountedFenceLog } from '../../../../src/observe/metrics/fence-counts.ts';
import { PluginMetrics, type WatchedParts } from '../../../../src/observe/metrics/plugin-metrics.ts';
import { type UsageSources, VolumeUsage } from '../../../../src/observe/metrics/volume-usage.ts';
import type { HostIdentity } from '../../../../src/volumes/identity.ts';
import { recordedVolume, type HostVolume, type VolumeRecord } from '../../../../src/volumes/host-volume.ts';
import type { FenceRecord } from '../../../../src/volumes/ports.ts';
import { asArrayName, asVolumeId, type HostId, type SystemId } from '../../../../src/array/ids.ts';

export const GATEWAY = 'https://gw';

export const ME: HostIdentity = {
  systemId: '72ce476b00000000' as SystemId,
  hostId: 'c0ffee0000000001' as HostId,
  guid: '271BAD82-08EE-44F2-A2B1-7E2787C27BE1',
  hostName: 'sdc-1',
  hostAddress: '10.0.0.1',
};

/** An entry of the journal, mounted unless said otherwise. */
export function entryOf(name: string, more: Partial<VolumeRecord> = {}): HostVolume {
  return recordedVolume({
    name,
    arrayName: asArrayName(`docker-${name}`),
    volumeId: asVolumeId(`id-${name}`),
    systemId: ME.systemId,
    phase: 'mounted',
    holders: ['a'],
    mountpoint: `/m/${name}`,
    since: '2026-01-01T00:00:00.000Z',
    ...more,
  });
}

/** A fence log in memory, to which nobody else writes. */
export function fenceLog(): { fences: CountedFenceLog; records: FenceRecord[] } {
  const records: FenceRecord[] = [];
  return {
    records,
    fences: {
      recentOf: () => records,
      latest: () => Promise.resolve(records.at(-1)),
      newOfOthers: () => Promise.resolve([]),
      record: (one) => records.push(one),
    },
  };
}

/** What a plugin's metrics look at, as the test sets it. */
export interface Watched {
  /** Of the clock that cannot be set; the wall clock is 2026 and this, unless setByMs says otherwise. */
  passedMs: number;
  setByMs: number;
  entries: HostVolume[];
  journalFailure: string | undefined;
  mustRebuild: boolean;
  identity: HostIdentity | undefined;
  hostProblem: string | undefined;
  readUsage: UsageSources['readUsage'];
  trimTotals: ReturnType<WatchedParts['trimTotals']>;
}

/** The plugin's metrics over parts that the test holds. */
export function pluginMetrics(reconcileIntervalMs = 60_000) {
  const watched: Watched = {
    passedMs: 0,
    setByMs: 0,
    entries: [],
    journalFailure: undefined,
    mustRebuild: false,
    identity: undefined,
    hostProblem: undefined,
    readUsage: () => Promise.resolve({ sizeBytes: 100, usedBytes: 40, availableBytes: 50 }),
    trimTotals: undefined,
  };
  const clock = {
    now: () => Date.parse('2026-01-01T00:00:00Z') + watched.passedMs + watched.setByMs,
    elapsed: () => watched.passedMs,
  };
  const metrics = new PluginMetrics({ version: '1.2.3', droppedLines: () => 0, clock, reconcileIntervalMs });
  const journal = {
    all: () => watched.entries,
    get mustRebuild() {
      return watched.mustRebuild;
    },
    get lastFailure() {
      return watched.journalFailure;
    },
  };
  const filesystems = {
    mounts: () =>
      Promise.resolve(
        watched.entries.map(({ mountpoint }) => ({
          device: '7:0',
          mountpoint,
          root: '/',
          fsType: 'xfs',
          source: '/dev/loop0',
          readOnly: false,
        })),
      ),
  };
  const parts: WatchedParts = {
    gateways: () => [{ endpoint: GATEWAY, inFlight: 2, queued: 1, healthy: true }],
    journal,
    usage: new VolumeUsage({
      journal,
      filesystems,
      readUsage: (mountpoint) => watched.readUsage(mountpoint),
    }),
    readiness: { problem: () => watched.hostProblem },
    trimTotals: () => watched.trimTotals,
    identity: {
      get last() {
        return watched.identity;
      },
    },
  };
  const pages = metrics.pages(parts);
  /** A metric's value as a scrape shows it; `labels` as written there, undefined when it is not there. */
  const scraped = async (name: string, labels = ''): Promise<number | undefined> => {
    const wanted = labels === '' ? name : `${name}{${labels}}`;
    const line = (await pages.registry.metrics()).split('\n').find((one) => one.startsWith(`${wanted} `));
    return line === undefined ? undefined : Number(line.slice(wanted.length + 1));
  };
  return { metrics, watched, pages, scraped };
}
