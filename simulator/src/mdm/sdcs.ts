import type { Cluster } from './cluster.ts';
import { hostAddress } from './addresses.ts';
import { refusal } from './failures.ts';
import { checkedName } from './names.ts';
import type { RestrictedSdcMode, SdcRecord } from './records.ts';

const GUID_PATTERN = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;

/** The SDC with this id. Throws 80 when there is none. */
export function sdcById(cluster: Cluster, id: string): SdcRecord {
  const sdc = cluster.state.sdcs.get(id);
  if (sdc === undefined) throw refusal('INI_NOT_FOUND');
  return sdc;
}

/** The SDC with this GUID, in any case of letters. Throws the GUID format error, or 80. */
export function sdcByGuid(cluster: Cluster, guid: string): SdcRecord {
  const upper = guid.toUpperCase();
  if (!GUID_PATTERN.test(upper)) throw refusal('INVALID_GUID');
  const id = cluster.state.sdcsByGuid.first(upper);
  return sdcById(cluster, id ?? '');
}

/** Whether the system's restricted mode lets this SDC in. */
export function isApproved(cluster: Cluster, sdc: SdcRecord): boolean {
  switch (cluster.state.system().restrictedSdcMode) {
    case 'None':
      return true;
    case 'Guid':
      return sdc.approved;
    case 'ApprovedIp':
      return sdc.approved && (sdc.ip === null || sdc.approvedIps.includes(sdc.ip));
  }
}

export interface SdcIntroduction {
  readonly guid: string;
  readonly ip: string;
  readonly osType?: string | undefined;
  readonly softwareVersion?: string | undefined;
}

/** Notes an SDC that reports to the MDM, known or new. Whether it is let in is `isApproved`'s to say. */
export function introduceSdc(cluster: Cluster, introduction: SdcIntroduction): SdcRecord {
  const guid = introduction.guid.toUpperCase();
  if (!GUID_PATTERN.test(guid)) throw refusal('INVALID_GUID');
  const { sdcs, sdcsByGuid } = cluster.state;
  const known = sdcs.get(sdcsByGuid.first(guid) ?? '') ?? newSdc(cluster, guid);
  const sdc: SdcRecord = {
    ...known,
    ip: introduction.ip,
    osType: introduction.osType ?? known.osType,
    softwareVersion: introduction.softwareVersion ?? known.softwareVersion,
  };
  const same =
    sdc.ip === known.ip && sdc.osType === known.osType && sdc.softwareVersion === known.softwareVersion;
  if (!same || !sdcs.get(sdc.id)) sdcs.put(sdc);
  return sdc;
}

function newSdc(cluster: Cluster, guid: string): SdcRecord {
  return {
    id: cluster.state.nextId('Sdc'),
    name: null,
    guid,
    ip: null,
    approved: cluster.state.system().restrictedSdcMode === 'None',
    approvedIps: [],
    osType: 'Linux',
    softwareVersion: null,
    perfProfile: cluster.version === '2.6' ? 'Default' : 'HighPerformance',
  };
}

export interface SdcApproval {
  readonly guid?: string | undefined;
  readonly ips: readonly string[];
  readonly name?: string | undefined;
}

/** Approves an SDC, known or not yet seen. Throws "already approved", and 120 for what is no address. */
export function approveSdc(cluster: Cluster, approval: SdcApproval): SdcRecord {
  const { sdcs, sdcsByGuid } = cluster.state;
  for (const ip of approval.ips) hostAddress(ip);
  const byIp = [...sdcs.values()].find((sdc) => sdc.ip !== null && approval.ips.includes(sdc.ip));
  let known: SdcRecord | undefined = byIp;
  if (approval.guid !== undefined) {
    const guid = approval.guid.toUpperCase();
    if (!GUID_PATTERN.test(guid)) throw refusal('INVALID_GUID');
    known = sdcs.get(sdcsByGuid.first(guid) ?? '') ?? { ...newSdc(cluster, guid), approved: false };
  }
  if (known === undefined) throw refusal('INI_NOT_FOUND');
  if (known.approved) throw refusal('INI_ALREADY_APPROVED');
  const approvedIps = approval.ips.length > 0 ? approval.ips : known.approvedIps;
  const sdc = { ...known, approved: true, approvedIps, name: checkedName(approval.name) ?? known.name };
  sdcs.put(sdc);
  return sdc;
}

/** Sets which SDCs may connect. Refused while an SDC that would be shut out has mappings. */
export function setRestrictedMode(cluster: Cluster, mode: RestrictedSdcMode): void {
  const { state } = cluster;
  state.systems.put({ ...state.system(), restrictedSdcMode: mode });
  for (const sdc of state.sdcs.values()) {
    if (state.volumesBySdc.count(sdc.id) > 0 && !isApproved(cluster, sdc)) {
      throw refusal(sdc.approved ? 'INI_HAS_UNAPPROVED_IP_MAPPINGS' : 'INI_HAS_UNAPPROVED_MAPPINGS');
    }
  }
}

/** Sets the addresses from which an SDC may connect in mode ApprovedIp. Throws 120 for what is none. */
export function setApprovedIps(cluster: Cluster, id: string, ips: readonly string[]): void {
  const sdc = sdcById(cluster, id);
  for (const ip of ips) hostAddress(ip);
  if (sdc.ip !== null && cluster.isConnected(id) && !ips.includes(sdc.ip)) throw refusal('INI_IP_NOT_IN_SET');
  cluster.state.sdcs.put({ ...sdc, approvedIps: [...ips] });
}

/** Names an SDC. */
export function setSdcName(cluster: Cluster, id: string, name: string): void {
  const sdc = sdcById(cluster, id);
  const checked = name === '' ? null : checkedName(name);
  if (checked === null) throw refusal('INVALID_NAME');
  const taken = [...cluster.state.sdcs.values()].some((other) => other.id !== id && other.name === checked);
  if (taken) throw refusal('INI_NAME_IN_USE');
  cluster.state.sdcs.put({ ...sdc, name: checked });
}

export function setPerformanceProfile(cluster: Cluster, id: string, perfProfile: string): void {
  cluster.state.sdcs.put({ ...sdcById(cluster, id), perfProfile });
}

/** Forgets an SDC. Refused while it is connected or has mappings (180). */
export function removeSdc(cluster: Cluster, id: string): void {
  sdcById(cluster, id);
  if (cluster.isConnected(id)) throw refusal('INI_MUST_BE_DISCONNECTED');
  if (cluster.state.volumesBySdc.count(id) > 0) throw refusal('INI_HAS_MAPPINGS');
  cluster.state.sdcs.delete(id);
}
