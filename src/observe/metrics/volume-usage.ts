import { Gauge, type Registry } from 'prom-client';
import type { VolumeId } from '../../array/ids.ts';
import type { HostVolume, MountEntry } from '../../volumes/ports.ts';

/** Room in a mounted file system, bytes. */
export interface Usage {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
}

export interface UsageSources {
  readonly journal: { all(): readonly HostVolume[] };
  readonly filesystems: { mounts(): Promise<MountEntry[]> };
  /** May hang for as long as a dead device makes it. */
  readonly readUsage: (mountpoint: string) => Promise<Usage | undefined>;
}

/** A look takes one of libuv's four threads, for ever if its device is dead: half of them stay for the volumes. */
const MOST_LOOKS = 2;
/** What one scrape waits for all looks together, ms. */
const LIMIT_MS = 1000;

/**
 * How full the volumes are that are mounted here, looked up at each scrape. A file system that does not answer in time
 * is left out and not asked again until it has answered, so a dead device holds up neither scrape nor event loop.
 */
export class VolumeUsage {
  readonly #sources: UsageSources;
  readonly #limitMs: number;
  /** By mountpoint, what is being looked at. */
  readonly #looking = new Map<string, Promise<Usage | undefined>>();
  #notAnswering = 0;

  constructor(sources: UsageSources, limitMs = LIMIT_MS) {
    this.#sources = sources;
    this.#limitMs = limitMs;
  }

  /** What is known when all have answered, or the time limit is over; by Docker's name. */
  async read(): Promise<ReadonlyMap<string, Usage>> {
    const usages = new Map<string, Usage>();
    const waiting = (await this.#mounted()).filter(({ mountpoint }) => !this.#looking.has(mountpoint));
    const turn = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const usage = await this.#look(next.mountpoint);
        if (usage !== undefined) usages.set(next.name, usage);
      }
    };
    const free = Math.max(MOST_LOOKS - this.#looking.size, 0);
    await this.#within(Promise.all(Array.from({ length: free }, turn)));
    this.#notAnswering = this.#looking.size + waiting.length;
    waiting.length = 0;
    return new Map(usages);
  }

  /** Of one volume; undefined: it is not mounted here, or nothing is known within the time limit. */
  async of(volumeId: VolumeId): Promise<Usage | undefined> {
    const mounted = (await this.#mounted()).find((entry) => entry.volumeId === volumeId);
    if (mounted === undefined) return undefined;
    const { mountpoint } = mounted;
    const isFree = this.#looking.size < MOST_LOOKS;
    const look = this.#looking.get(mountpoint) ?? (isFree ? this.#look(mountpoint) : undefined);
    return look === undefined ? undefined : this.#within(look);
  }

  /** Volumes that the last read has no answer for. */
  get notAnswering(): number {
    return this.#notAnswering;
  }

  async #mounted(): Promise<HostVolume[]> {
    const mountpoints = new Set(
      (await this.#sources.filesystems.mounts()).map(({ mountpoint }) => mountpoint),
    );
    return this.#sources.journal
      .all()
      .filter(({ phase, mountpoint }) => phase === 'mounted' && mountpoints.has(mountpoint));
  }

  #look(mountpoint: string): Promise<Usage | undefined> {
    const look = this.#asked(mountpoint);
    this.#looking.set(mountpoint, look);
    return look;
  }

  async #asked(mountpoint: string): Promise<Usage | undefined> {
    try {
      return await this.#sources.readUsage(mountpoint);
    } catch {
      // Unmounted meanwhile, or shut down after a fence: there is nothing to tell.
      return undefined;
    } finally {
      this.#looking.delete(mountpoint);
    }
  }

  async #within<T>(work: Promise<T>): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      resolve(undefined);
    }, this.#limitMs);
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Adds the gauges of the volumes' room. */
export function watchVolumeUsage(registry: Registry, usage: VolumeUsage): void {
  let reading: Promise<ReadonlyMap<string, Usage>> | undefined;
  // A scrape collects all gauges at once: one look serves them.
  const readOnce = (): Promise<ReadonlyMap<string, Usage>> =>
    (reading ??= usage.read().finally(() => {
      reading = undefined;
    }));
  const add = (name: string, help: string, bytesOf: (usage: Usage) => number): void => {
    new Gauge({
      name: `scaleio_volume_${name}_bytes`,
      help,
      labelNames: ['volume'],
      registers: [registry],
      async collect() {
        const usages = await readOnce();
        this.reset();
        for (const [volume, one] of usages) this.set({ volume }, bytesOf(one));
      },
    });
  };
  add(
    'size',
    'Bytes that the file system of a volume holds in all; volumes mounted on this host',
    (one) => one.sizeBytes,
  );
  add('used', 'Bytes used in the file system of a volume', (one) => one.usedBytes);
  add('available', 'Bytes left for programs that are not root', (one) => one.availableBytes);
  new Gauge({
    name: 'scaleio_volumes_not_answering',
    help: 'Volumes mounted on this host whose file system did not say within a second how full it is',
    registers: [registry],
    async collect() {
      await readOnce();
      this.set(usage.notAnswering);
    },
  });
}
