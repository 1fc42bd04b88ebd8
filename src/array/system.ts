import type { RestrictedMode } from './host.ts';
import type { SystemId } from './ids.ts';

/** What this array can do; asked, never concluded from its version outside the gateway. */
export interface ArrayCapabilities {
  /** Sizes of volumes are multiples of this, KiB. */
  readonly grainKiB: number;
  /** Whether a volume itself, and each attachment of it, can be limited to reading. */
  readonly readOnlyLimit: boolean;
  /** Whether a snapshot can be secured against everybody for a time. */
  readonly secureSnapshots: boolean;
  /** Whether it takes snapshots by itself, as policies say. */
  readonly snapshotPolicies: boolean;
}

export interface ArrayIdentity {
  readonly systemId: SystemId;
  readonly name: string | null;
  /** API version, major.minor; for people. */
  readonly version: string;
  readonly capabilities: ArrayCapabilities;
}

/** Whom the array lets in, and where its MDMs are. */
export interface DescribedSystem {
  readonly id: SystemId;
  readonly restrictedMode: RestrictedMode;
  /** Of the MDMs that hosts connect to, without tie-breakers. */
  readonly mdmAddresses: readonly string[];
}
