import type { Cluster } from './cluster.ts';
import { domainById, faultSetById } from './domains.ts';
import { invalidRequest, refusal } from './failures.ts';
import { checkedName } from './names.ts';
import type { SdsRecord } from './records.ts';

/** The SDS with this id. Throws 78 when there is none. */
export function sdsById(cluster: Cluster, id: string): SdsRecord {
  const sds = cluster.state.sdss.get(id);
  if (sds === undefined) throw refusal('TGT_NOT_FOUND');
  return sds;
}

function freeSdsName(cluster: Cluster, name: string | undefined): string | null {
  const checked = checkedName(name);
  const taken = [...cluster.state.sdss.values()].some((sds) => checked !== null && sds.name === checked);
  if (taken) throw refusal('TGT_NAME_IN_USE');
  return checked;
}

export interface NewSds {
  readonly name?: string | undefined;
  readonly domainId: string;
  readonly ips: SdsRecord['ips'];
  readonly port?: number | undefined;
  readonly drlMode?: string | undefined;
  readonly faultSetId?: string | undefined;
}

/** Adds an SDS. Throws 93 when one of its addresses is in use with the same port. */
export function createSds(cluster: Cluster, request: NewSds): SdsRecord {
  const { state } = cluster;
  domainById(cluster, request.domainId);
  if (request.faultSetId !== undefined) faultSetById(cluster, request.faultSetId);
  const port = request.port ?? 7072;
  for (const sds of state.sdss.values()) {
    const clash = sds.ips.some(({ ip }) => request.ips.some((other) => other.ip === ip));
    if (clash && sds.port === port) throw refusal('TGT_ADDR_AND_PORT_IN_USE');
  }
  const sds: SdsRecord = {
    name: freeSdsName(cluster, request.name),
    id: state.nextId('Sds'),
    domainId: request.domainId,
    faultSetId: request.faultSetId ?? null,
    ips: request.ips,
    port,
    drlMode: request.drlMode ?? 'Volatile',
    connected: true,
    maintenance: false,
  };
  state.sdss.put(sds);
  return sds;
}

export function setSdsName(cluster: Cluster, id: string, name: string): void {
  const sds = sdsById(cluster, id);
  if (sds.name !== name) cluster.state.sdss.put({ ...sds, name: freeSdsName(cluster, name) });
}

export function addSdsIp(cluster: Cluster, id: string, address: { ip: string; role: string }): void {
  const sds = sdsById(cluster, id);
  cluster.state.sdss.put({ ...sds, ips: [...sds.ips, address] });
}

export function removeSdsIp(cluster: Cluster, id: string, ip: string): void {
  const sds = sdsById(cluster, id);
  cluster.state.sdss.put({ ...sds, ips: sds.ips.filter((address) => address.ip !== ip) });
}

export function setMaintenance(cluster: Cluster, id: string, maintenance: boolean): void {
  cluster.state.sdss.put({ ...sdsById(cluster, id), maintenance });
}

/** Removes an SDS that has no devices left. */
export function removeSds(cluster: Cluster, id: string): void {
  sdsById(cluster, id);
  if (cluster.state.devicesBySds.count(id) > 0) {
    throw invalidRequest('The SDS has devices. Remove its devices, and then try again.');
  }
  cluster.state.sdss.delete(id);
}
