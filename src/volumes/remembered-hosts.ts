import type { ArrayHost } from '../array/host.ts';
import type { StorageArray } from '../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../array/volume.ts';
import type { KnownHosts, KnownHost } from './ports.ts';

/** The same array; its attachments bear what this host last knew of a host where the array does not say it now. */
export function rememberingHosts(array: StorageArray, hosts: KnownHosts): StorageArray {
  const attachment = (said: Attachment): Attachment => {
    const { hostId, hostName: name, hostAddress: ip } = said;
    const known = filled({ name, address: ip }, hosts.lastKnown(hostId));
    hosts.remember(hostId, known);
    return known.name === name && known.address === ip ? said : { ...said, lastKnown: known };
  };
  const volume = <Volume extends ArrayVolume | undefined>(said: Volume): Volume =>
    said === undefined ? said : { ...said, attachments: said.attachments.map(attachment) };
  /** Of a host that is there the array's word counts, also that it has no name. */
  const named = <Said extends ArrayHost | undefined>(said: Said): Said => {
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
    volumesOfHost: async (id, signal) => (await array.volumesOfHost(id, signal)).map(volume),
    volumesOfFamily: async (member, signal) => (await array.volumesOfFamily(member, signal)).map(volume),
    findHost: async (guid, signal) => named(await array.findHost(guid, signal)),
    getHost: async (id, signal) => named(await array.getHost(id, signal)),
  };
}

function filled({ name, address: ip }: KnownHost, known: KnownHost | undefined): KnownHost {
  return { name: name ?? known?.name ?? null, address: ip ?? known?.address ?? null };
}
