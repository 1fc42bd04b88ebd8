import type { ProcessId } from './process.ts';

/** The simulated array of a lab. */
export interface ArrayOptions {
  readonly version?: '2.6' | '3.6' | '4.5';
  /** Of the user "admin"; a new one by default, the same for the life of the lab. */
  readonly password?: string;
  /** True: the gateway also speaks HTTPS, see secureEndpoint. */
  readonly tls?: boolean;
  /** From mapping to device on a host. */
  readonly appearDelayMs?: number;
  /** Any other setting of the simulator. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A host of a lab. */
export interface HostOptions {
  readonly number: number;
  /** Root directory that the host is laid over. */
  readonly engineRoot: string;
  /** More arguments for dockerd, such as --live-restore. */
  readonly engineArguments: readonly string[];
}

/** What another process needs to work with a lab that stays. */
export interface LabPlan {
  /** Holder of the network. */
  readonly fabric: ProcessId;
  readonly hosts: readonly HostOptions[];
  /** The simulated array, when there is one. */
  readonly array?: { readonly options: ArrayOptions; readonly simulator: ProcessId | null };
}
