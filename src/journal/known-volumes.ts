import path from 'node:path';
import * as z from 'zod';
import { CancelledError } from '../errors.ts';
import type { Clock, KnownVolume, Log } from '../volumes/ports.ts';
import { readChecked, writeChecked } from './checked-text.ts';
import type { JournalFiles } from './journal-files.ts';

/** Name of the file in the journal's directory. */
export const KNOWN_VOLUMES_FILE = 'known-volumes';
const FORMAT = 'docker-volume-scaleio known volumes';
const MOST_KNOWN = 100_000;
/** A file for 100,000 volumes is 40 MB; more often than this would wear the disk. */
const WRITE_DELAY_MS = 5000;

const label = z.object({
  version: z.literal(1),
  name: z.string(),
  fs: z.enum(['ext4', 'xfs', 'btrfs']),
  mountOptions: z.array(z.string()),
  subpath: z.string(),
  iops: z.number(),
  bandwidthKiBps: z.number(),
  failover: z.enum(['never', 'disconnected', 'idle', 'always', 'default']),
  requestedKiB: z.number(),
});
const knownVolume: z.ZodType<KnownVolume> = z
  .object({
    name: z.string(),
    arrayName: z.string(),
    volumeId: z.string(),
    sizeKiB: z.number(),
    createdAtSeconds: z.number(),
    storagePoolId: z.string(),
    readOnly: z.boolean(),
    label: label.optional(),
  })
  .transform((volume) => ({ ...volume, label: volume.label }));

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
  readonly #ports: KnownVolumesPorts;
  readonly #file: string;
  readonly #volumes: Map<string, KnownVolume>;
  readonly #closing = new AbortController();
  #isDirty = false;
  #hasFailed = false;
  #writing: Promise<void> | undefined;

  private constructor(ports: KnownVolumesPorts, file: string, volumes: Map<string, KnownVolume>) {
    this.#ports = ports;
    this.#file = file;
    this.#volumes = volumes;
  }

  /** Reads the file; what cannot be used of it is left out. */
  static async open(ports: KnownVolumesPorts): Promise<KnownVolumes> {
    const file = path.join(ports.dir, KNOWN_VOLUMES_FILE);
    const volumes = new Map<string, KnownVolume>();
    try {
      const text = await ports.files.read(file);
      const content = text === undefined ? undefined : readChecked(FORMAT, text);
      if (content?.usable === false)
        ports.log.warn({ file, why: content.why }, 'known volumes are forgotten');
      for (const entry of content?.usable === true ? content.entries : []) {
        const { data } = knownVolume.safeParse(entry);
        if (data !== undefined) volumes.set(data.name, data);
      }
    } catch (error) {
      ports.log.warn({ file, error: String(error) }, 'known volumes cannot be read and are forgotten');
    }
    return new KnownVolumes(ports, file, volumes);
  }

  get(name: string): KnownVolume | undefined {
    return this.#volumes.get(name);
  }

  all(): readonly KnownVolume[] {
    return [...this.#volumes.values()];
  }

  remember(volume: KnownVolume): void {
    const before = this.#volumes.get(volume.name);
    this.#volumes.delete(volume.name);
    this.#volumes.set(volume.name, volume);
    if (this.#volumes.size > MOST_KNOWN) {
      const [longestUnseen = ''] = this.#volumes.keys();
      this.#volumes.delete(longestUnseen);
    }
    if (JSON.stringify(before) !== JSON.stringify(volume)) this.#changed();
  }

  forget(name: string): void {
    if (this.#volumes.delete(name)) this.#changed();
  }

  /** Writes what is not on disk yet. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    if (this.#isDirty) await this.#write();
  }

  #changed(): void {
    this.#isDirty = true;
    if (!this.#closing.signal.aborted) this.#writing ??= this.#writeLater();
  }

  async #writeLater(): Promise<void> {
    try {
      while (this.#isDirty) {
        await this.#ports.clock.sleep(WRITE_DELAY_MS, this.#closing.signal);
        await this.#write();
      }
    } catch (error) {
      if (!(error instanceof CancelledError)) {
        this.#ports.log.error({ error: String(error) }, 'known volumes are no longer written');
      }
    } finally {
      this.#writing = undefined;
    }
  }

  async #write(): Promise<void> {
    this.#isDirty = false;
    try {
      const volumes = this.all();
      const text = await writeChecked(FORMAT, { volumes: volumes.length }, linesOf(volumes));
      await this.#ports.files.writeAtomic(this.#file, text);
      this.#hasFailed = false;
    } catch (error) {
      this.#isDirty = true;
      if (!this.#hasFailed) {
        this.#ports.log.warn({ file: this.#file, error: String(error) }, 'known volumes cannot be written');
      }
      this.#hasFailed = true;
    }
  }
}

function* linesOf(volumes: readonly KnownVolume[]): Generator<string> {
  for (const volume of volumes) yield JSON.stringify(volume);
}
