import type { HostId } from './ids.ts';

/** How a host reaches its volumes: with the SDC's kernel module, or over NVMe/TCP (from 4.0 on). */
export type HostKind = 'sdc' | 'nvme';

/** A host as the array sees it; unknown when the array does not say, so that it may well be alive (rule 16). */
export type HostState = 'connected' | 'disconnected' | 'unknown';

export type LastKnownField = 'name' | 'address' | 'version';

/** A host that the array knows. */
export interface ArrayHost {
  readonly id: HostId;
  readonly kind: HostKind;
  readonly name: string | null;
  /** Upper-case; null of an NVMe host. */
  readonly guid: string | null;
  /** The first of its addresses; null while the array does not know one. */
  readonly address: string | null;
  /** Where it reports from; none while it is away, but on 2.x, which shows the last. */
  readonly addresses: readonly string[];
  /** From where it may report, where the array asks for that. */
  readonly approvedAddresses: readonly string[];
  /** True also where the array lets every host in. */
  readonly isApproved: boolean;
  readonly state: HostState;
  /** As the array says it: Linux, Windows, Esx …; null when unknown. */
  readonly osType: string | null;
  /** Of its software, as the array says it ("R3_6.0.0"). */
  readonly version: string | null;
  /** What of these the array does not say now and said before, so that it stands here; undefined: nothing. */
  readonly lastKnown?: readonly LastKnownField[];
}

/** Which hosts the array lets in: all; those whose GUID is approved; those also only from approved addresses. */
export type RestrictedMode = 'None' | 'Guid' | 'ApprovedIp';
