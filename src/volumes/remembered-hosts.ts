import type { KnownHosts, KnownSdc, StorageArray } from './ports.ts';
import type { ArrayVolume, Mapping, Sdc } from './volume.ts';

/** The same array; its mappings bear what this host last knew of an SDC where the array does not say it now. */
export function rememberingHosts(array: StorageArray, hosts: KnownHosts): StorageArray {
  const mapping = (said: Mapping): Mapping => {
    const { sdcId, sdcName: name, sdcIp: ip } = said;
    const known = filled({ name, ip }, hosts.lastKnown(sdcId));
    hosts.remember(sdcId, known);
    return known.name === name && known.ip === ip ? said : { ...said, lastKnown: known };
  };
  const volume = <Volume extends ArrayVolume | undefined>(said: Volume): Volume =>
    said === undefined ? said : { ...said, mappings: said.mappings.map(mapping) };
  /** Of an SDC that is there the array's word counts, also that it has no name. */
  const sdc = <Said extends Sdc | undefined>(said: Said): Said => {
    if (said === undefined) return said;
    const known = said.state === 'connected' ? undefined : hosts.lastKnown(said.id);
    hosts.remember(said.id, filled(said, known));
    return said;
  };
  return {
    ...array,
    getVolume: async (id, signal) => volume(await array.getVolume(id, signal)),
    getVolumes: async (ids, signal) => (await array.getVolumes(ids, signal)).map(volume),
    listVolumes: async (passes, signal) => (await array.listVolumes(passes, signal)).map(volume),
    volumesOfSdc: async (id, signal) => (await array.volumesOfSdc(id, signal)).map(volume),
    volumesOfVtree: async (id, signal) => (await array.volumesOfVtree(id, signal)).map(volume),
    findSdcByGuid: async (guid, signal) => sdc(await array.findSdcByGuid(guid, signal)),
    getSdc: async (id, signal) => sdc(await array.getSdc(id, signal)),
  };
}

function filled({ name, ip }: KnownSdc, known: KnownSdc | undefined): KnownSdc {
  return { name: name ?? known?.name ?? null, ip: ip ?? known?.ip ?? null };
}
