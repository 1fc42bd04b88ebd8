import type { MdmState } from './state.ts';

/** API versions that can be played. */
export const API_VERSIONS = ['2.6', '3.6', '4.5'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** Limits of the array; knobs, because those who test against it want to meet them with less work. */
export interface Limits {
  readonly volumes: number;
  readonly snapshotsPerVtree: number;
  readonly volumesPerSdc: number;
  readonly maxVolumeKiB: number;
  readonly devicesPerSds: number;
}

const GIB = 1024 * 1024;

/** Limits of a release: 2.x [guide], 3.x [cinder], 4.x [csi get_system_limits.json]. */
export function limitsOf(version: ApiVersion): Limits {
  const old = version === '2.6';
  return {
    volumes: old ? 32_768 : 131_072,
    snapshotsPerVtree: old ? 31 : 126,
    volumesPerSdc: 8192,
    maxVolumeKiB: 1_048_576 * GIB,
    devicesPerSds: 64,
  };
}

/** What every operation of the MDM works on. Operations are synchronous and change nothing when they throw. */
export interface Cluster {
  readonly state: MdmState;
  readonly version: ApiVersion;
  readonly limits: Limits;
  /** Pace at which data moves between devices, in KiB per second. */
  readonly movementKiBPerSecond: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly isConnected: (sdcId: string) => boolean;
  /** KiB that really are written in a volume's file. */
  readonly writtenKiB: (volumeId: string) => number;
  /** Whether a volume has a file; without one it holds no data. */
  readonly hasFile: (volumeId: string) => boolean;
  /** Ids of volumes that have a file. */
  readonly writtenVolumes: () => Iterable<string>;
}

/** True from this release on. */
export function since(cluster: Pick<Cluster, 'version'>, version: '3.0' | '4.0'): boolean {
  return Number(cluster.version) >= Number(version);
}
