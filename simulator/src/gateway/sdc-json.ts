import { since, type Cluster } from '../mdm/cluster.ts';
import type { NvmeHostRecord, SdcRecord } from '../mdm/records.ts';
import { isApproved } from '../mdm/sdcs.ts';
import { linksOf } from './links.ts';

/** An SDC as the gateway of the played version shows it. */
export function sdcJson(cluster: Cluster, sdc: SdcRecord): object {
  const systemId = cluster.state.system().id;
  const connected = cluster.isConnected(sdc.id);
  const shared = {
    id: sdc.id,
    name: sdc.name,
    sdcGuid: sdc.guid,
    sdcApproved: isApproved(cluster, sdc),
    mdmConnectionState: connected ? 'Connected' : 'Disconnected',
    osType: sdc.osType,
    perfProfile: sdc.perfProfile,
    softwareVersionInfo: connected ? sdc.softwareVersion : null,
    versionInfo: connected ? sdc.softwareVersion : null,
    installedSoftwareVersionInfo: sdc.softwareVersion,
    kernelVersion: null,
    kernelBuildNumber: null,
    memoryAllocationFailure: null,
    socketAllocationFailure: null,
    sdcApprovedIps: sdc.approvedIps.length > 0 ? sdc.approvedIps : null,
    systemId,
  };
  return {
    ...shared,
    ...(since(cluster, '3.0') ? thirdGeneration(cluster, sdc) : { sdcIp: sdc.ip }),
    links: linksOf('Sdc', sdc.id, {
      relationships: ['Statistics', 'Volume'],
      parents: { systemId: `System::${systemId}` },
    }),
  };
}

/** From 3.x an SDC that is not connected has no address [ansible samples]. */
function thirdGeneration(cluster: Cluster, sdc: SdcRecord): object {
  const ip = cluster.isConnected(sdc.id) ? sdc.ip : null;
  const fields = {
    sdcIp: ip ?? 'N/A',
    sdcIps: ip === null ? null : [ip],
    sdcType: 'AppSdc',
    peerMdmId: null,
    sdrId: null,
  };
  if (!since(cluster, '4.0')) return fields;
  return {
    ...fields,
    hostType: 'SdcHost',
    nqn: null,
    sdcAgentActive: ip !== null,
    mdmIpAddressesCurrent: ip !== null,
    hostOsFullType: null,
    maxNumPaths: null,
    maxNumSysPorts: null,
    sdtId: null,
  };
}

/** An NVMe host: an SDC's shape with hardly anything in it [ansible nvme_host.py sample, gsio types]. */
export function nvmeHostJson(cluster: Cluster, host: NvmeHostRecord): object {
  const systemId = cluster.state.system().id;
  return {
    id: host.id,
    name: host.name,
    nqn: host.nqn,
    hostType: 'NVMeHost',
    hostOsFullType: 'Generic',
    maxNumPaths: 4,
    maxNumSysPorts: 10,
    ...NULL_FOR_NVME,
    systemId,
    links: linksOf('Host', host.id, {
      relationships: ['Volume', 'NvmeController'],
      parents: { systemId: `System::${systemId}` },
    }),
  };
}

const NULL_FOR_NVME = {
  sdcGuid: null,
  sdcIp: null,
  sdcIps: null,
  sdcApproved: null,
  sdcApprovedIps: null,
  sdcType: null,
  mdmConnectionState: null,
  osType: null,
  perfProfile: null,
  softwareVersionInfo: null,
  versionInfo: null,
  installedSoftwareVersionInfo: null,
  kernelVersion: null,
  kernelBuildNumber: null,
  memoryAllocationFailure: null,
  socketAllocationFailure: null,
  peerMdmId: null,
  sdrId: null,
  sdtId: null,
  sdcAgentActive: null,
  mdmIpAddressesCurrent: null,
};

/** One path of an NVMe host [gsio types]. */
export function nvmeControllerJson(host: NvmeHostRecord, index: number): object {
  const { id, isConnected } = host.controllers[index] ?? { id: '', isConnected: null };
  return {
    id,
    name: null,
    isConnected,
    isAssigned: true,
    hostId: host.id,
    hostIp: null,
    controllerId: index + 1,
    sdtId: null,
    sysPortId: null,
    sysPortIp: null,
    subsystem: 'Io',
  };
}
