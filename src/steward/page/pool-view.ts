import { formatGiB } from '../capacity/assessment.ts';
import { doneOf, type Progress } from '../capacity/progress.ts';
import type { StewardSnapshot } from '../steward.ts';
import type { PoolView } from './page-data.ts';

type Pool = StewardSnapshot['pools'][number];

/** One pool as the page shows it. `readAt`: when it was read, ms since 1970, which its forecast counts from. */
export function poolView(pool: Pool, trash: StewardSnapshot['trash'], readAt: number): PoolView {
  const { reading, usedPercent, level, contradiction, devices, growth, watched } = pool;
  const { limitKiB, usedKiB, spareKiB, unusedKiB, thinCommittedKiB } = reading.capacity;
  return {
    id: reading.id,
    name: reading.name,
    domain: reading.domainName,
    limitKiB,
    usedKiB,
    spareKiB,
    unusedKiB,
    committedKiB: thinCommittedKiB,
    usedPercent,
    level,
    contradiction: contradiction ?? null,
    watched: watched ?? null,
    health: healthWords(pool),
    forecast: forecastView(pool, readAt),
    rebuild: progressView(pool.rebuild),
    rebalance: progressView(pool.rebalance),
    devices,
    growth,
    trash: trashView(pool, trash),
  };
}

function trashView({ reading }: Pool, trash: StewardSnapshot['trash']): PoolView['trash'] {
  if (trash === undefined) return null;
  const { volumes, sizeKiB } = trash.find(({ poolId }) => poolId === reading.id) ?? {
    volumes: 0,
    sizeKiB: 0,
  };
  return { volumes, sizeKiB };
}

function forecastView({ forecast }: Pool, readAt: number): PoolView['forecast'] {
  if (forecast.kind !== 'full') return forecast;
  const at = new Date(readAt + forecast.inMs).toISOString();
  return { kind: 'full', at, kibPerDay: Math.round(forecast.kibPerDay) };
}

function progressView(progress: Progress | undefined): PoolView['rebuild'] {
  if (progress === undefined) return null;
  return { leftKiB: progress.leftKiB, percent: 100 * doneOf(progress) };
}

function healthWords({ health, reading }: Pool): string[] {
  const { failedKiB, degradedKiB, inMaintenanceKiB, unreachableKiB, rebuildKiB, rebalanceKiB } =
    reading.capacity;
  return [
    ...(failedKiB > 0 ? [`${formatGiB(failedKiB)} cannot be read now (no healthy copy)`] : []),
    ...(degradedKiB > 0 ? [`${formatGiB(degradedKiB)} degraded (one healthy copy)`] : []),
    ...(inMaintenanceKiB > 0 ? [`${formatGiB(inMaintenanceKiB)} in maintenance`] : []),
    ...(unreachableKiB > 0 ? [`${formatGiB(unreachableKiB)} cannot be reached`] : []),
    ...(health.rebuilding ? [`rebuilding, ${formatGiB(rebuildKiB)} left`] : []),
    ...(health.rebalancing ? [`rebalancing, ${formatGiB(rebalanceKiB)} left`] : []),
  ];
}
