import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SdcVolume, VolumeIo } from '../sdc-protocol.ts';
import { DataPath } from './data-path.ts';
import type { DeviceLinks } from './device-links.ts';
import { isAllowed } from './fence.ts';
import { ioBetween, parseBlockStat, type IoTotals } from './io-counters.ts';

/** How often a volume that the fence keeps out is looked at again. */
const FENCE_POLL_MS = 250;
/** A device of another volume differs in size by one grain of the array. */
const GRAIN_KIB = 8 * 1024 * 1024;

/**
 * pushed: a device takes the new size of its volume when the MDM tells it, as lxd relies on. rescan: only when it is asked to look again or
 * connects, as os-brick and CloudStack provide for.
 */
export type SizeNews = 'pushed' | 'rescan';

export interface MappedVolumeHost {
  readonly guid: string;
  readonly scini: string;
  readonly fenceDir: string;
  readonly stateDir: string;
  readonly appearDelayMs: number;
  readonly sizeNews: SizeNews;
  readonly links: DeviceLinks;
  readonly log: (line: string) => void;
  /** Called each time the device came or went. */
  readonly onChange: () => void;
  /** While the MDM cannot be heard, no device appears. */
  readonly connected: () => boolean;
}

/**
 * One volume that is or was mapped to this SDC, and its device. Works towards what `want` was last told, and gives
 * the device up when the fence takes it away.
 */
export class MappedVolume {
  readonly systemId: string;
  readonly volumeId: string;
  readonly #host: MappedVolumeHost;
  #wanted: SdcVolume | undefined;
  #path: DataPath | undefined;
  #totals: IoTotals | undefined;
  #appearAt: number | undefined;
  #powerless = false;
  #work: Promise<void> | undefined;
  #wake = Promise.withResolvers<undefined>();

  constructor(host: MappedVolumeHost, systemId: string, volumeId: string) {
    this.#host = host;
    this.systemId = systemId;
    this.volumeId = volumeId;
  }

  /** Whether the MDM's last list had it. */
  get mapped(): boolean {
    return this.#wanted !== undefined;
  }

  /** Kernel name of its device, undefined while it has none. */
  get loop(): string | undefined {
    return this.#path?.loop;
  }

  get link(): string {
    return this.#host.links.path(this.systemId, this.volumeId);
  }

  /** What the MDM says of it now; undefined when it is no longer mapped here. */
  want(volume: SdcVolume | undefined): void {
    const before = this.#wanted;
    this.#wanted = volume;
    if (volume !== undefined) this.#path?.limit(volume.limitIops, volume.limitBandwidthKiBps);
    if (before !== undefined && volume !== undefined && before.sizeKiB !== volume.sizeKiB) this.#hearOfSize();
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers();
    this.#work ??= this.#toWanted().finally(() => (this.#work = undefined));
  }

  /** Resolves when it is no longer mapped and its device is gone. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Takes a new size of the volume. */
  async rescan(): Promise<void> {
    await this.#path?.rescan();
  }

  /** Loses the device as a host does that loses power: the link stays behind. */
  async kill(): Promise<void> {
    this.#powerless = true;
    await this.#path?.kill();
    this.want(undefined);
    await this.settled();
  }

  /** I/O since the last call; undefined when there was none. */
  async takeIo(seconds: number): Promise<VolumeIo | undefined> {
    const path = this.#path;
    if (path === undefined || this.#totals === undefined) return undefined;
    const now = await readTotals(path.loop);
    const io = ioBetween(this.#totals, now, { volumeId: this.volumeId, seconds });
    this.#totals = now;
    return io;
  }

  #hearOfSize(): void {
    if (this.#host.sizeNews === 'rescan') return;
    this.rescan().catch((error: unknown) => {
      this.#host.log(`Volume "${this.volumeId}": ${String(error)}`);
    });
  }

  async #toWanted(): Promise<void> {
    while (this.#wanted !== undefined) {
      try {
        if (await this.#mayAppear(this.#wanted)) await this.#serve(this.#wanted);
        else await this.#pause(FENCE_POLL_MS);
      } catch (error) {
        this.#host.log(`Volume "${this.volumeId}": ${String(error)}`);
        await this.#pause(FENCE_POLL_MS * 4);
      }
    }
    this.#appearAt = undefined;
  }

  async #mayAppear(volume: SdcVolume): Promise<boolean> {
    const { fenceDir, guid, appearDelayMs, connected } = this.#host;
    const may =
      volume.deviceFault !== 'never' && connected() && (await isAllowed(fenceDir, this.volumeId, guid));
    const delayMs = typeof volume.deviceFault === 'number' ? volume.deviceFault : appearDelayMs;
    this.#appearAt = may ? (this.#appearAt ?? performance.now() + delayMs) : undefined;
    return may;
  }

  async #serve(volume: SdcVolume): Promise<void> {
    const waitMs = (this.#appearAt ?? 0) - performance.now();
    if (waitMs > 0) return this.#pause(waitMs);
    const path = await this.#start(volume);
    if (path === undefined) return;
    this.#path = path;
    try {
      this.#totals = await readTotals(path.loop);
      await this.#host.links.add(this.link, path.loop);
      this.#host.onChange();
      while (!path.over && this.#stillServes(volume)) await Promise.race([path.ended, this.#wake.promise]);
    } finally {
      await this.#giveUp(path);
    }
  }

  #stillServes(served: SdcVolume): boolean {
    const wanted = this.#wanted;
    return wanted !== undefined && wanted.file === served.file && wanted.readOnly === served.readOnly;
  }

  async #start(volume: SdcVolume): Promise<DataPath | undefined> {
    const { scini, guid, fenceDir } = this.#host;
    const { volumeId, readOnly, durable = false } = volume;
    const file = volume.deviceFault === 'wrong' ? await this.#otherFile(volume) : volume.file;
    const path = await DataPath.start({ scini, guid, fenceDir, volumeId, file, readOnly, durable });
    path?.limit(volume.limitIops, volume.limitBandwidthKiBps);
    return path;
  }

  async #giveUp(path: DataPath): Promise<void> {
    await path.detach();
    this.#path = undefined;
    this.#appearAt = undefined;
    if (this.#powerless) return;
    await this.#host.links.remove(this.link);
    await rm(this.#otherPath, { force: true });
    this.#host.onChange();
  }

  get #otherPath(): string {
    return join(this.#host.stateDir, `other-${this.volumeId}`);
  }

  /** An empty volume of another size, for the fault that another volume's device appears. */
  async #otherFile(volume: SdcVolume): Promise<string> {
    await writeFile(this.#otherPath, '');
    await truncate(this.#otherPath, (volume.sizeKiB + GRAIN_KIB) * 1024);
    return this.#otherPath;
  }

  async #pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<undefined>();
    const timer = setTimeout(over.resolve, ms, undefined);
    await Promise.race([over.promise, this.#wake.promise]);
    clearTimeout(timer);
  }
}

async function readTotals(loop: string): Promise<IoTotals> {
  return parseBlockStat(await readFile(`/sys/block/${loop}/stat`, 'utf8'));
}
