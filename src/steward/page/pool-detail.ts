import type { Clock } from '../../runtime/clock.ts';
import type { StewardSnapshot } from '../steward.ts';
import type { PoolDetail } from './detail-data.ts';
import type { IoWatch } from './io-watch.ts';
import { poolView } from './pool-view.ts';
import { wallTime } from './wall-time.ts';

/** What a pool opens to; undefined where there is none of this id. All from memory. */
export function poolDetailOf(
  id: string,
  {
    snapshot,
    io,
    clock,
  }: {
    readonly snapshot: StewardSnapshot;
    readonly io: Pick<IoWatch, 'ofPool'>;
    readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  },
): PoolDetail | undefined {
  const pool = snapshot.pools.find(({ reading }) => reading.id === id);
  if (pool === undefined) return undefined;
  const { limitKiB, spareKiB } = pool.reading.capacity;
  const { forecast } = poolView(pool, snapshot.trash, Date.parse(snapshot.readAt ?? ''));
  const secondsAt = wallTime(clock);
  return {
    version: 1,
    id,
    io: io.ofPool(id) ?? null,
    capacity: {
      atSeconds: pool.history.map(({ elapsedMs }) => secondsAt(elapsedMs)),
      usedKiB: pool.history.map(({ usedKiB }) => usedKiB),
      roomKiB: limitKiB - spareKiB,
      forecast,
    },
  };
}
