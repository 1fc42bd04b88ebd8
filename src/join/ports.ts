import type { SdcId, SystemId } from '../volumes/volume.ts';

/* What joining a host to the storage needs of this host's SDC, of the array and of the host's network. */

/** A cluster of MDMs that an SDC is configured for. */
export interface ConfiguredMdm {
  /** Null while the SDC is not connected to it. */
  readonly systemId: string | null;
  /** This SDC's id there; null while the SDC is not connected. */
  readonly sdcId: string | null;
  readonly addresses: readonly string[];
}

/** This host's SDC. Rejections: SdcError, CancelledError. */
export interface SdcControl {
  /** The GUID as it is now, upper-case, not from memory. */
  currentGuid(signal: AbortSignal): Promise<string>;
  /** Undefined where drv_cfg cannot be run and need not be, because the GUID is configured. */
  configuredMdms(signal: AbortSignal): Promise<readonly ConfiguredMdm[] | undefined>;
  /** Adds a cluster of MDMs; the others stay. */
  addMdm(addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** Gives the cluster that has the address `known` these addresses, which must hold all that it has. */
  extendMdm(known: string, addresses: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Which SDCs the array lets in: all; those whose GUID is approved; those also only from approved addresses. */
export type RestrictedSdcMode = 'None' | 'Guid' | 'ApprovedIp';

export interface DescribedSystem {
  readonly id: SystemId;
  readonly restrictedSdcMode: RestrictedSdcMode;
  /** Of the MDMs that SDCs connect to, without tie-breakers. */
  readonly mdmAddresses: readonly string[];
}

/** An SDC as the array has registered it. */
export interface RegisteredSdc {
  readonly id: SdcId;
  readonly name: string | null;
  readonly approved: boolean;
  readonly connected: boolean;
  /** Where it reports from; none while it is away. */
  readonly addresses: readonly string[];
  /** From where it may report in mode ApprovedIp. */
  readonly approvedAddresses: readonly string[];
}

/** The array, as far as hosts register there. Rejections as StorageArray; one method is one call unless said otherwise. */
export interface SdcRegistry {
  /** Cached after the first call. */
  identity(signal: AbortSignal): Promise<{ readonly systemId: SystemId }>;
  describeSystem(signal: AbortSignal): Promise<DescribedSystem>;
  /** Undefined when the array has never heard of this GUID. */
  findRegisteredSdc(guid: string, signal: AbortSignal): Promise<RegisteredSdc | undefined>;
  /** Lets the SDC with this GUID in; false when it was approved already and nothing has changed. */
  approveSdc(guid: string, addresses: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** The addresses from which an approved SDC may report, in mode ApprovedIp. */
  setApprovedAddresses(id: SdcId, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** False when another SDC has the name. */
  renameSdc(id: SdcId, name: string, signal: AbortSignal): Promise<boolean>;
}

/** This host's own addresses from which packets to these addresses leave; nothing is sent to find out. */
export type SourceAddresses = (targets: readonly string[]) => Promise<readonly string[]>;
