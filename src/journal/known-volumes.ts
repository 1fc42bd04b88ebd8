import path from 'node:path';
import * as z from 'zod';
import { asArrayName, asPoolId, asVolumeId } from '../array/ids.ts';
import { asVolumeName } from '../volumes/volume.ts';
import { labelSchema } from '../volumes/options/label.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { KnownVolume } from '../volumes/ports.ts';
import { parseLine, readChecked, writeChecked } from './checked-text.ts';
import { keepAdded } from './added-fields.ts';
import { DelayedWrite } from './delayed-write.ts';
import type { JournalFiles } from './journal-files.ts';

/** Name of the file in the journal's directory. */
export const KNOWN_VOLUMES_FILE = 'known-volumes';
const FORMAT = 'docker-volume-scaleio known volumes';
const MOST_KNOWN = 100_000;

const fields = z.looseObject({
  name: z.string().transform(asVolumeName),
  arrayName: z.string().transform(asArrayName),
  volumeId: z.string().transform(asVolumeId),
  sizeKiB: z.number(),
  createdAtSeconds: z.number(),
  storagePoolId: z.string(),
  readOnly: z.boolean(),
  label: labelSchema.optional(),
});
/** What the file has where something is not known: older plugins read it and want a value. */
const UNKNOWN = { sizeKiB: 0, createdAtSeconds: 0, storagePoolId: '' } as const;
const knownVolume = fields.transform(
  ({ sizeKiB, createdAtSeconds, storagePoolId, label, ...same }): KnownVolume => ({
    ...same,
    sizeKiB: sizeKiB === UNKNOWN.sizeKiB ? null : sizeKiB,
    createdAtSeconds: createdAtSeconds === UNKNOWN.createdAtSeconds ? null : createdAtSeconds,
    poolId: storagePoolId === UNKNOWN.storagePoolId ? null : asPoolId(storagePoolId),
    label,
  }),
);
const ownFields: ReadonlySet<string> = new Set([...Object.keys(fields.shape), 'poolId']);

export interface KnownVolumesPorts {
  readonly dir: string;
  readonly files: JournalFiles;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
}

/**
 * The volumes that this host has seen, at most 100,000, the longest unseen dropped first. In memory at once, on disk
 * within seconds, and lost without harm.
 */
export class KnownVolumes {
  /** The file is a newer plugin's (rule 19): what is seen now stays in memory. */
  readonly #isNewer: boolean;
  /** By name; as its line of JSON until somebody asks for it, so that a start with 100,000 volumes is quick. */
  readonly #volumes: Map<string, KnownVolume | string>;
  readonly #write: DelayedWrite;

  private constructor(
    ports: KnownVolumesPorts,
    at: { file: string; isNewer: boolean },
    volumes: Map<string, KnownVolume | string>,
  ) {
    this.#isNewer = at.isNewer;
    this.#volumes = volumes;
    this.#write = new DelayedWrite({
      what: 'known volumes',
      file: at.file,
      clock: ports.clock,
      log: ports.log,
      write: async () => {
        const all = [...volumes];
        const content = await writeChecked(FORMAT, { volumes: all.length }, linesOf(all));
        await ports.files.writeAtomic(at.file, content);
      },
    });
  }

  /** Reads the file; what cannot be used of it is left out. One of a newer version stays untouched on disk. */
  static async open(ports: KnownVolumesPorts): Promise<KnownVolumes> {
    const file = path.join(ports.dir, KNOWN_VOLUMES_FILE);
    const volumes = new Map<string, string>();
    let isNewer = false;
    try {
      const text = await ports.files.read(file);
      const content = text === undefined ? undefined : readChecked(FORMAT, text);
      if (content?.usable === false) {
        isNewer = content.isNewer;
        const left = isNewer
          ? 'known volumes are not used and left as they are'
          : 'known volumes are forgotten';
        ports.log.warn({ file, why: content.why }, left);
      }
      for (const line of content?.usable === true ? content.lines : []) {
        const nameEnd = line.indexOf('\t');
        const name = parseLine(line.slice(0, nameEnd));
        if (typeof name === 'string') volumes.set(name, line.slice(nameEnd + 1));
      }
    } catch (error) {
      ports.log.warn({ file, error: String(error) }, 'known volumes cannot be read and are forgotten');
    }
    return new KnownVolumes(ports, { file, isNewer }, volumes);
  }

  get(name: string): KnownVolume | undefined {
    const volume = this.#volumes.get(name);
    if (typeof volume !== 'string') return volume;
    const { data } = knownVolume.safeParse(parseLine(volume));
    // What cannot be read may be a newer plugin's, so its line stays.
    if (data !== undefined) this.#volumes.set(name, data);
    return data;
  }

  all(): readonly KnownVolume[] {
    return [...this.#volumes.keys()].flatMap((name) => this.get(name) ?? []);
  }

  remember(seen: KnownVolume): void {
    const before = this.#volumes.get(seen.name);
    const known = this.get(seen.name);
    const volume = known?.volumeId === seen.volumeId ? keepAdded(known, seen, ownFields) : seen;
    this.#volumes.delete(volume.name);
    this.#volumes.set(volume.name, volume);
    if (this.#volumes.size > MOST_KNOWN) {
      const [longestUnseen = ''] = this.#volumes.keys();
      this.#volumes.delete(longestUnseen);
    }
    if (lineOf(before) !== lineOf(volume)) this.#changed();
  }

  forget(name: string): void {
    if (this.#volumes.delete(name)) this.#changed();
  }

  /** Writes what is not on disk yet. */
  close(): Promise<void> {
    return this.#write.close();
  }

  #changed(): void {
    if (!this.#isNewer) this.#write.changed();
  }
}

function lineOf(volume: KnownVolume | string | undefined): string | undefined {
  if (volume === undefined || typeof volume === 'string') return volume;
  const { name, arrayName, volumeId, sizeKiB, createdAtSeconds, poolId, readOnly, label, ...added } = volume;
  // In the order of every version, so that a line read is the line written.
  return JSON.stringify({
    ...added,
    name,
    arrayName,
    volumeId,
    sizeKiB: sizeKiB ?? UNKNOWN.sizeKiB,
    createdAtSeconds: createdAtSeconds ?? UNKNOWN.createdAtSeconds,
    storagePoolId: poolId ?? UNKNOWN.storagePoolId,
    readOnly,
    label,
  });
}

/** The name stands before the rest, so that it can be read alone; JSON holds no raw tab or newline. */
function* linesOf(volumes: Iterable<readonly [string, KnownVolume | string]>): Generator<string> {
  for (const [name, volume] of volumes) yield `${JSON.stringify(name)}\t${lineOf(volume) ?? ''}`;
}
