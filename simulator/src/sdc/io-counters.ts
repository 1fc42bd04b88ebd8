import type { VolumeIo } from '../sdc-protocol.ts';

/** Totals of a block device since the machine started. A sector is 512 bytes. */
export interface IoTotals {
  readonly reads: number;
  readonly readSectors: number;
  readonly writes: number;
  readonly writeSectors: number;
}

/** Reads the line of /sys/block/<device>/stat [Documentation/block/stat.rst]. */
export function parseBlockStat(text: string): IoTotals {
  const [reads = 0, , readSectors = 0, , writes = 0, , writeSectors = 0] = text
    .trim()
    .split(/\s+/)
    .map(Number);
  return { reads, readSectors, writes, writeSectors };
}

/** What happened between two totals; undefined when nothing did. */
export function ioBetween(
  before: IoTotals,
  after: IoTotals,
  of: { volumeId: string; seconds: number },
): VolumeIo | undefined {
  const io = {
    volumeId: of.volumeId,
    readKiB: (after.readSectors - before.readSectors) / 2,
    reads: after.reads - before.reads,
    writeKiB: (after.writeSectors - before.writeSectors) / 2,
    writes: after.writes - before.writes,
    seconds: of.seconds,
  };
  return io.reads === 0 && io.writes === 0 ? undefined : io;
}
