import type { SdcId, StoragePoolId, VolumeId, VtreeId } from '../volumes/volume.ts';

/* What the array holds, as whoever watches over the whole of it needs it: every volume and every SDC, ours or not. */

/** One host's access to one volume. */
export interface MappingReading {
  readonly sdcId: SdcId;
  /** False: a host of another kind (NVMe), whose id is not among the SDCs. */
  readonly isSdc: boolean;
  /** Null where the array does not say, as of an SDC that is away. */
  readonly sdcIp: string | null;
  /** 0: no limit. */
  readonly limitIops: number;
  /** KiB per second, 0: no limit. */
  readonly limitBwKiBs: number;
}

/** One volume or snapshot at one moment. */
export interface VolumeReading {
  readonly id: VolumeId;
  readonly name: string | null;
  readonly poolId: StoragePoolId;
  /** Null where the array does not say. */
  readonly vtreeId: VtreeId | null;
  readonly sizeKiB: number;
  /** Seconds since 1970, as the array counts; null where it does not say. */
  readonly createdAt: number | null;
  /** The array itself lets nobody write to it. */
  readonly isReadOnly: boolean;
  readonly isSnapshot: boolean;
  readonly isMappedToAll: boolean;
  readonly mappings: readonly MappingReading[];
}

/** One SDC at one moment; from 4.0 on NVMe hosts stand among them. */
export interface SdcReading {
  readonly id: SdcId;
  /** Upper-case; null of an NVMe host. */
  readonly guid: string | null;
  readonly name: string | null;
  /** Null while the array does not know it. */
  readonly ip: string | null;
  /** null: the array does not say, as of an NVMe host. */
  readonly isConnected: boolean | null;
  /** True also where the array lets every SDC in. */
  readonly isApproved: boolean;
  /** Of its software, as the array says it ("R3_6.0.0"). */
  readonly version: string | null;
  /** What of these the array does not say now and said before, so that it stands here; undefined: nothing. */
  readonly lastKnown?: readonly LastKnownField[];
}

export type LastKnownField = 'name' | 'ip' | 'version';

/**
 * Lists of all there is, one call each. Implemented by gateway/. Rejections: GatewayUnavailableError (also for an answer of
 * which a part cannot be understood), GatewayAuthError, GatewayRejectedError, CancelledError.
 */
export interface Inventory {
  readVolumes(signal: AbortSignal): Promise<readonly VolumeReading[]>;
  readSdcs(signal: AbortSignal): Promise<readonly SdcReading[]>;
  /** Name, else address, of an SDC that the array listed before, whether or not it does now; where somebody remembers. */
  readonly formerly?: (id: SdcId) => string | undefined;
}
