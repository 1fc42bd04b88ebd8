import type { Cluster } from './cluster.ts';
import { refusal } from './failures.ts';
import { checkedName } from './names.ts';
import type { DomainRecord, FaultSetRecord } from './records.ts';

/** The protection domain with this id. Throws 142 when there is none. */
export function domainById(cluster: Cluster, id: string): DomainRecord {
  const domain = cluster.state.domains.get(id);
  if (domain === undefined) throw refusal('FD_NOT_FOUND');
  return domain;
}

function freeDomainName(cluster: Cluster, name: string): string | null {
  const checked = checkedName(name);
  if ([...cluster.state.domains.values()].some((domain) => domain.name === checked)) {
    throw refusal('FD_NAME_IN_USE');
  }
  return checked;
}

export function createDomain(cluster: Cluster, name: string): DomainRecord {
  const domain: DomainRecord = {
    name: freeDomainName(cluster, name),
    id: cluster.state.nextId('ProtectionDomain'),
    active: true,
    genType: 'Mirroring',
  };
  cluster.state.domains.put(domain);
  return domain;
}

export function setDomainName(cluster: Cluster, id: string, name: string): void {
  const domain = domainById(cluster, id);
  if (domain.name !== name) cluster.state.domains.put({ ...domain, name: freeDomainName(cluster, name) });
}

export function setDomainActive(cluster: Cluster, id: string, active: boolean): void {
  cluster.state.domains.put({ ...domainById(cluster, id), active });
}

/** Removes a protection domain that holds neither pools (176) nor SDSs (143). */
export function removeDomain(cluster: Cluster, id: string): void {
  domainById(cluster, id);
  if (cluster.state.poolsByDomain.count(id) > 0) throw refusal('FD_HAS_STORAGE_POOLS');
  if (cluster.state.sdssByDomain.count(id) > 0) throw refusal('FD_HAS_TGTS');
  cluster.state.domains.delete(id);
}

/** The fault set with this id. */
export function faultSetById(cluster: Cluster, id: string): FaultSetRecord {
  const faultSet = cluster.state.faultSets.get(id);
  if (faultSet === undefined) throw refusal('FAULT_SET_NOT_FOUND');
  return faultSet;
}

function freeFaultSetName(cluster: Cluster, domainId: string, name: string | undefined): string | null {
  const checked = checkedName(name);
  const taken = [...cluster.state.faultSets.values()].some(
    (other) => checked !== null && other.domainId === domainId && other.name === checked,
  );
  if (taken) throw refusal('FAULT_SET_NAME_ALREADY_EXISTS');
  return checked;
}

export function createFaultSet(cluster: Cluster, domainId: string, name: string | undefined): FaultSetRecord {
  domainById(cluster, domainId);
  const faultSet = {
    name: freeFaultSetName(cluster, domainId, name),
    id: cluster.state.nextId('FaultSet'),
    domainId,
  };
  cluster.state.faultSets.put(faultSet);
  return faultSet;
}

export function setFaultSetName(cluster: Cluster, id: string, name: string): void {
  const faultSet = faultSetById(cluster, id);
  if (faultSet.name === name) return;
  cluster.state.faultSets.put({ ...faultSet, name: freeFaultSetName(cluster, faultSet.domainId, name) });
}

/** Removes a fault set without SDSs. */
export function removeFaultSet(cluster: Cluster, id: string): void {
  faultSetById(cluster, id);
  if ([...cluster.state.sdss.values()].some((sds) => sds.faultSetId === id))
    throw refusal('FAULT_SET_HAS_TGTS');
  cluster.state.faultSets.delete(id);
}
