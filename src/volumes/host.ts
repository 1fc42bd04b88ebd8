import { SdcError } from '../errors.ts';
import type {
  Clock,
  FenceLog,
  Filesystems,
  HostReadiness,
  Journal,
  LocalSdc,
  Log,
  StorageArray,
  Trace,
} from './ports.ts';
import type { FailoverPolicy, SdcId, SystemId } from './volume.ts';

/** When a volume may be taken from another host. Times in milliseconds. */
export interface TakeoverPolicy {
  /** How long a holder that is alive may take to let go by itself (rolling update, drain). */
  readonly graceMs: number;
  /** Between looks at such a holder. */
  readonly pollMs: number;
  /** No I/O for so long counts as idle. */
  readonly idleWindowMs: number;
  /** So many takeovers of one volume by this host within the window, and no more. */
  readonly moveLimit: number;
  readonly moveWindowMs: number;
}

/** Decisions of the operator that the core follows. Times in milliseconds. */
export interface VolumePolicy {
  /** Separates our volumes from the array's other users. */
  readonly prefix: string;
  /** Default pool and domain of new volumes, by name or id; undefined: the array's only one. */
  readonly pool: string | undefined;
  readonly domain: string | undefined;
  /** New volumes are refused while their pool is fuller, percent; undefined: never. */
  readonly refuseAbovePercent: number | undefined;
  /** Of volumes that have none of their own. */
  readonly failover: FailoverPolicy;
  readonly takeover: TakeoverPolicy;
  /** How long a mount stays after its client hung up, for the repeated call to pick up. */
  readonly abandonedMountMs: number;
  /**
   * How long after the plugin's start a mount stays whose only holders are of earlier lives, for an engine that starts, too, to
   * ask for it again; then the kernel says whether it is used.
   */
  readonly inheritedMountMs: number;
  /** How long to wait for a kernel that still holds a device just unmounted. */
  readonly releaseWaitMs: number;
  /** Budget of the clean-up after a failure, on top of the call's own deadline. */
  readonly cleanupMs: number;
}

/** Everything the use cases work with; built once by the composition root. */
export interface VolumeHost {
  readonly array: StorageArray;
  readonly sdc: LocalSdc;
  readonly filesystems: Filesystems;
  readonly journal: Journal;
  readonly fences: FenceLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly trace: Trace;
  readonly policy: VolumePolicy;
  readonly identity: SdcIdentity;
  readonly readiness: HostReadiness;
}

export interface HostIdentity {
  readonly systemId: SystemId;
  readonly sdcId: SdcId;
  readonly guid: string;
  readonly sdcName: string | null;
  readonly sdcIp: string | null;
}

/** Who this host is to the array: asked once, kept until somebody has reason to doubt it. */
export class SdcIdentity {
  readonly #array: StorageArray;
  readonly #sdc: LocalSdc;
  #known: HostIdentity | undefined;

  constructor(array: StorageArray, sdc: LocalSdc) {
    this.#array = array;
    this.#sdc = sdc;
  }

  /** Rejects with SdcError: not installed, not known to the array, not approved, and what to do. */
  async current(signal: AbortSignal): Promise<HostIdentity> {
    if (this.#known !== undefined) return this.#known;
    const [guid, { systemId }] = await Promise.all([this.#sdc.guid(signal), this.#array.identity(signal)]);
    const sdc = await this.#array.findSdcByGuid(guid, signal);
    if (sdc === undefined) {
      throw new SdcError(
        `array "${systemId}" does not know this host's SDC "${guid}": check its MDM addresses (drv_cfg --query_mdms)`,
        { problem: 'not-known', context: { guid, systemId } },
      );
    }
    if (!sdc.approved) {
      throw new SdcError(
        `array "${systemId}" has not approved this host's SDC "${guid}": approve it at the MDM (scli --approve_sdc)`,
        { problem: 'not-approved', context: { guid, systemId, sdcId: sdc.id } },
      );
    }
    this.#known = { systemId, sdcId: sdc.id, guid, sdcName: sdc.name, sdcIp: sdc.ip };
    return this.#known;
  }

  /** The last answer, without asking anybody. */
  get last(): HostIdentity | undefined {
    return this.#known;
  }

  /** The array said that it does not know us as we thought: ask again next time. */
  forget(): void {
    this.#known = undefined;
  }
}
