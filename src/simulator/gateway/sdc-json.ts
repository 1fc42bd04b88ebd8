import { since } from '../mdm/cluster.ts';
import type { Cluster } from '../mdm/cluster.ts';
import type { SdcRecord } from '../mdm/records.ts';
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
