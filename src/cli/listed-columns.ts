import { formatRoughSize, formatSize } from '../units/size.ts';
import { ago } from './age.ts';
import type { Column } from './table.ts';
import type { ListedFacts } from './volume-facts.ts';
import { movementOf } from './volume-text.ts';

/** What `volume ls` tells of a volume, by the names that a template uses. */
export const VOLUME_FIELDS = [
  'Name',
  'Size',
  'Used',
  'Fs',
  'Pool',
  'Access',
  'HeldBy',
  'Since',
  'LastFence',
  'ID',
  'ArrayName',
] as const;

/** That in words. "-": nothing, or not known here. */
export type VolumeCells = Readonly<Record<(typeof VOLUME_FIELDS)[number], string>>;

/** The columns of the table, in their order. */
export const VOLUME_COLUMNS: readonly (Column & { readonly field: keyof VolumeCells })[] = [
  { heading: 'NAME', field: 'Name', isWords: true },
  { heading: 'SIZE', field: 'Size' },
  { heading: 'USED', field: 'Used' },
  { heading: 'FS', field: 'Fs' },
  { heading: 'POOL', field: 'Pool', isWords: true },
  { heading: 'ACCESS', field: 'Access' },
  { heading: 'HELD BY', field: 'HeldBy', isWords: true },
  { heading: 'SINCE', field: 'Since' },
  { heading: 'LAST FENCE', field: 'LastFence', isWords: true },
];

export function volumeCells(facts: ListedFacts, nowMs: number): VolumeCells {
  const { name, sizeKiB, usedKiB, filesystem, pool, access, lastFence, id, arrayName } = facts;
  return {
    Name: name,
    Size: formatSize(sizeKiB),
    Used: usedKiB === null ? '-' : formatRoughSize(usedKiB),
    Fs: filesystem ?? '-',
    Pool: pool.name ?? pool.id,
    Access: access,
    HeldBy: holdersOf(facts),
    Since: sinceOf(facts, nowMs),
    LastFence: lastFence === null ? '-' : `${ago(lastFence.at, nowMs)}, ${movementOf(lastFence)}`,
    ID: id,
    ArrayName: arrayName ?? '-',
  };
}

function holdersOf({ holders, mappedToAllSdcs }: ListedFacts): string {
  if (mappedToAllSdcs) return 'all SDCs';
  return holders.map(({ described }) => described).join(', ') || '-';
}

/** The array keeps no such time, and the host that has the volume does. */
function sinceOf({ holders }: ListedFacts, nowMs: number): string {
  return holders.map(({ since }) => (since === null ? 'unknown' : ago(since, nowMs))).join(', ') || '-';
}
