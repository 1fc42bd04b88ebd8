import { describeHolder } from '../volumes/holders.ts';
import type { HeldVolume } from '../volumes/operator.ts';
import type { FenceRecord } from '../volumes/ports.ts';
import type { ArrayVolume } from '../volumes/volume.ts';

const KIB_PER_GIB = 1_048_576;

/** Volumes as columns, with a heading. */
export function volumeTable(
  volumes: readonly { readonly name: string; readonly volume: ArrayVolume }[],
): string {
  const rows = volumes.map(({ name, volume }) => [name, gibOf(volume), accessOf(volume), holdersOf(volume)]);
  const table = [['NAME', 'SIZE', 'ACCESS', 'HELD BY'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** One volume and its holders, a fact a line. */
export function wordsForVolume({ name, volume, failover, holders, recentIo }: HeldVolume): string {
  const facts = [
    ['volume', name],
    ['on the array', `${volume.name ?? ''} (${volume.id})`],
    ['size', gibOf(volume)],
    ['access', accessOf(volume)],
    ['failover', failover],
    ...holders.map(({ described, mapping, state }) => [
      'held by',
      `SDC ${described}, id ${mapping.sdcId}, ${state}`,
    ]),
    ...(holders.length === 0 ? [['held by', volume.mappedToAllSdcs ? 'all SDCs' : 'nobody']] : []),
    ['I/O now', `${recentIo} operations in the array's present measuring interval`],
  ];
  return facts.map(([what = '', value = '']) => `${what.padEnd(13)} ${value}\n`).join('');
}

/** The last fence that this host knows of. */
export function wordsForFence(fence: FenceRecord | undefined): string {
  if (fence === undefined) return 'last fence    none by this host\n';
  const { at, outcome, fromName, by, policy, holderState, durationMs } = fence;
  return `last fence    ${at} ${outcome}: from SDC ${fromName} by ${by}, policy ${policy}, holder ${holderState}, ${durationMs} ms\n`;
}

function gibOf({ sizeKiB }: ArrayVolume): string {
  return `${Number((sizeKiB / KIB_PER_GIB).toFixed(3))}GiB`;
}

function accessOf({ accessModeLimit }: ArrayVolume): string {
  return accessModeLimit === 'ReadOnly' ? 'read-only' : 'read-write';
}

function holdersOf({ mappings, mappedToAllSdcs }: ArrayVolume): string {
  if (mappedToAllSdcs) return 'all SDCs';
  return mappings.map(describeHolder).join(', ') || '-';
}
