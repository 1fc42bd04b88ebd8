import type { SdcId } from '../../volumes/volume.ts';
import type {
  Inventory,
  LastKnownField,
  MappingReading,
  SdcReading,
  VolumeReading,
} from '../../inventory/ports.ts';

const FIELDS = ['name', 'ip', 'version'] as const satisfies readonly LastKnownField[];
/** Several times what an array can have. */
const MOST_KNOWN = 10_000;

type Known = Readonly<Record<LastKnownField, string | null>>;

/**
 * The same inventory, and what the array no longer says of an SDC that it has lost: its last name, address and version, marked as
 * such. In memory only, of the 10,000 SDCs last seen.
 */
export function remembering(inventory: Inventory): Inventory {
  const memory = new Map<SdcId, Known>();
  const takeIn = (sdc: SdcReading): SdcReading => {
    const before = memory.get(sdc.id);
    const now = before === undefined ? sdc : filled(sdc, before);
    const { name, ip, version } = now;
    memory.delete(sdc.id);
    memory.set(sdc.id, { name, ip, version });
    const [longestUnseen] = memory.keys();
    if (memory.size > MOST_KNOWN && longestUnseen !== undefined) memory.delete(longestUnseen);
    return now;
  };
  const addressed = (mapping: MappingReading): MappingReading =>
    mapping.sdcIp === null ? { ...mapping, sdcIp: memory.get(mapping.sdcId)?.ip ?? null } : mapping;
  return {
    readSdcs: async (signal) => (await inventory.readSdcs(signal)).map(takeIn),
    readVolumes: async (signal) => {
      const volumes = await inventory.readVolumes(signal);
      return volumes.map((volume): VolumeReading => {
        const isWhole = volume.mappings.every(({ sdcIp }) => sdcIp !== null);
        return isWhole ? volume : { ...volume, mappings: volume.mappings.map(addressed) };
      });
    },
    formerly: (id) => {
      const known = memory.get(id);
      return known?.name ?? known?.ip ?? undefined;
    },
  };
}

/** Of an SDC that is there the array's word counts, also that it has no name. */
function filled(sdc: SdcReading, before: Known): SdcReading {
  if (sdc.isConnected === true) return sdc;
  const lastKnown = FIELDS.filter((field) => sdc[field] === null && before[field] !== null);
  if (lastKnown.length === 0) return sdc;
  const { name, ip, version } = sdc;
  return {
    ...sdc,
    name: name ?? before.name,
    ip: ip ?? before.ip,
    version: version ?? before.version,
    lastKnown,
  };
}
