import { Gauge, type Registry } from 'prom-client';
import type { IoRate, VolumeIo } from '../../array/copies.ts';
import type { StewardSnapshot } from '../../steward/steward.ts';

/** By metric: help, and its value; null: the array does not say, or there was no I/O. */
const RATES: Readonly<Record<string, readonly [string, (rate: IoRate) => number | null]>> = {
  operations_per_second: [
    "I/O operations on the volumes of a pool in the array's last measuring interval; with the page only",
    ({ iops }) => iops,
  ],
  bytes_per_second: [
    "Bytes read from and written to the volumes of a pool in the array's last measuring interval; with the page only",
    ({ kibPerSecond }) => (kibPerSecond === null ? null : kibPerSecond * 1024),
  ],
  latency_seconds: [
    'Mean time that these operations took, as hosts see it; none while there is no I/O; with the page only',
    ({ latencyMicroseconds }) => (latencyMicroseconds === null ? null : latencyMicroseconds / 1e6),
  ],
};

const DIRECTIONS = ['read', 'write'] as const;

/** Adds the gauges of what the array counted of each pool's I/O at the last sample; nothing of pools of which nothing is known now. */
export function watchPoolIo(
  registry: Registry,
  snapshot: () => StewardSnapshot,
  poolIo: () => ReadonlyMap<string, VolumeIo>,
): void {
  for (const [name, [help, valueOf]] of Object.entries(RATES))
    new Gauge({
      name: `scaleio_pool_io_${name}`,
      help,
      labelNames: ['system', 'domain', 'pool', 'direction'],
      registers: [registry],
      collect() {
        this.reset();
        const { pools, systemId } = snapshot();
        const ofPools = poolIo();
        for (const { reading } of pools) {
          const io = ofPools.get(reading.id);
          for (const direction of DIRECTIONS) {
            const value = io === undefined ? null : valueOf(io[direction]);
            const labels = { system: systemId ?? '', domain: reading.domainName, pool: reading.name };
            if (value !== null) this.set({ ...labels, direction }, value);
          }
        }
      },
    });
}
