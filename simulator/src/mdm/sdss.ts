import type { Cluster } from './cluster.ts';
import { domainById, faultSetById } from './domains.ts';
import { hostAddress } from './addresses.ts';
import { refusal } from './failures.ts';
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

/** Adds an SDS. Throws 93 when one of its addresses is in use with the same port, 120 for what is no address. */
export function createSds(cluster: Cluster, request: NewSds): SdsRecord {
  const { state } = cluster;
  domainById(cluster, request.domainId);
  if (request.faultSetId !== undefined) faultSetById(cluster, request.faultSetId);
  for (const { ip } of request.ips) hostAddress(ip);
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

type SdsAddress = SdsRecord['ips'][number];

/** Gives an SDS one address more. Throws 120, 200 for one that it has, 192 for another SDS's. */
export function addSdsIp(cluster: Cluster, id: string, address: SdsAddress): void {
  const sds = sdsById(cluster, id);
  hostAddress(address.ip);
  const has = (other: SdsRecord): boolean => other.ips.some(({ ip }) => ip === address.ip);
  if (has(sds)) throw refusal('TGT_IP_ALREADY_EXISTS');
  if ([...cluster.state.sdss.values()].some(has)) throw refusal('IP_BELONGS_TO_OTHER_TGT');
  cluster.state.sdss.put({ ...sds, ips: [...sds.ips, address] });
}

/** Takes an address from an SDS. Throws 193, 187 for the last one, 199 for the last that other SDSs can use. */
export function removeSdsIp(cluster: Cluster, id: string, ip: string): void {
  const sds = sdsById(cluster, id);
  addressOf(sds, ip);
  if (sds.ips.length === 1) throw refusal('LAST_IP');
  putAddresses(
    cluster,
    sds,
    sds.ips.filter((address) => address.ip !== ip),
  );
}

/** Changes what an address is for. Throws 193, 201 when it is that already, 199. */
export function setSdsIpRole(cluster: Cluster, id: string, { ip, role }: SdsAddress): void {
  const sds = sdsById(cluster, id);
  if (addressOf(sds, ip).role === role) throw refusal('ROLE_ALREADY_SET');
  putAddresses(
    cluster,
    sds,
    sds.ips.map((address) => (address.ip === ip ? { ip, role } : address)),
  );
}

function addressOf(sds: SdsRecord, ip: string): SdsAddress {
  const found = sds.ips.find((address) => address.ip === ip);
  if (found === undefined) throw refusal('TGT_IP_NOT_FOUND');
  return found;
}

function putAddresses(cluster: Cluster, sds: SdsRecord, ips: readonly SdsAddress[]): void {
  if (ips.every(({ role }) => role === 'sdcOnly')) throw refusal('TGT_MUST_HAVE_TGT_IP_ROLE');
  cluster.state.sdss.put({ ...sds, ips });
}

/** Removes an SDS that has no devices left. */
export function removeSds(cluster: Cluster, id: string): void {
  sdsById(cluster, id);
  if (cluster.state.devicesBySds.count(id) > 0) throw refusal('TGT_HAS_DEVICES');
  cluster.state.sdss.delete(id);
}
