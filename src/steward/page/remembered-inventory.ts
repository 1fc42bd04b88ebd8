import type { ArrayHost, LastKnownField } from '../../array/host.ts';
import type { HostId } from '../../array/ids.ts';
import type { Inventory } from '../../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';

const FIELDS = ['name', 'address', 'version'] as const satisfies readonly LastKnownField[];
/** Several times what an array can have. */
const MOST_KNOWN = 10_000;

type Known = Readonly<Record<LastKnownField, string | null>>;

/**
 * The same inventory, and what the array no longer says of a host that it has lost: its last name, address and version, marked as
 * such. In memory only, of the 10,000 hosts last seen.
 */
export function remembering(inventory: Inventory): Inventory {
  const memory = new Map<HostId, Known>();
  const takeIn = (host: ArrayHost): ArrayHost => {
    const before = memory.get(host.id);
    const now = before === undefined ? host : filled(host, before);
    const { name, address, version } = now;
    memory.delete(host.id);
    memory.set(host.id, { name, address, version });
    const [longestUnseen] = memory.keys();
    if (memory.size > MOST_KNOWN && longestUnseen !== undefined) memory.delete(longestUnseen);
    return now;
  };
  const addressed = (attachment: Attachment): Attachment =>
    attachment.hostAddress === null
      ? { ...attachment, hostAddress: memory.get(attachment.hostId)?.address ?? null }
      : attachment;
  return {
    readHosts: async (signal) => (await inventory.readHosts(signal)).map(takeIn),
    readVolumes: async (signal) => {
      const volumes = await inventory.readVolumes(signal);
      return volumes.map((volume): ArrayVolume => {
        const isWhole = volume.attachments.every(({ hostAddress }) => hostAddress !== null);
        return isWhole ? volume : { ...volume, attachments: volume.attachments.map(addressed) };
      });
    },
    formerly: (id) => {
      const known = memory.get(id);
      return known?.name ?? known?.address ?? undefined;
    },
  };
}

/** Of a host that is there the array's word counts, also that it has no name. */
function filled(host: ArrayHost, before: Known): ArrayHost {
  if (host.state === 'connected') return host;
  const lastKnown = FIELDS.filter((field) => host[field] === null && before[field] !== null);
  if (lastKnown.length === 0) return host;
  const { name, address, version } = host;
  return {
    ...host,
    name: name ?? before.name,
    address: address ?? before.address,
    version: version ?? before.version,
    lastKnown,
  };
}
