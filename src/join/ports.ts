/* What joining a host to the storage needs of this host's SDC, of the array and of the host's network. */

/** A cluster of MDMs that an SDC is configured for. */
export interface ConfiguredMdm {
  /** Null while the SDC is not connected to it. */
  readonly systemId: string | null;
  /** This SDC's id there; null while the SDC is not connected. */
  readonly sdcId: string | null;
  readonly addresses: readonly string[];
}

/** This host's SDC. Rejections: AttachError, CancelledError. */
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

/** This host's own addresses from which packets to these addresses leave; nothing is sent to find out. */
export type SourceAddresses = (targets: readonly string[]) => Promise<readonly string[]>;
