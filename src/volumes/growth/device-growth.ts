import { FilesystemError, isPluginError } from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Attacher, Device } from '../../attach/attacher.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import type { Filesystems, HostVolume, Journal, MountEntry } from '../ports.ts';
import { findOwnMount } from '../own-mount.ts';
import { FILESYSTEMS } from '../volume.ts';

export interface DeviceGrowthParts {
  readonly attacher: Pick<Attacher, 'findDevice' | 'holdDevice' | 'rescan'>;
  readonly filesystems: Pick<Filesystems, 'grow' | 'isFrozen' | 'mounts'>;
  readonly journal: Pick<Journal, 'all' | 'get' | 'known' | 'remember'>;
  readonly lock: VolumeLock;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  readonly trace: Pick<Trace, 'apart'>;
}

export interface DeviceGrowthTimes {
  /** Between looks at the devices, ms. */
  readonly lookMs: number;
  /** For growing one file system, ms. */
  readonly limitMs: number;
  /** How long a device may stay behind the size that the array has announced before this host asks for it, ms. */
  readonly rescanMs: number;
}

/** What came of a device that has another size than its file system was last seen to fill. */
interface Settled {
  /** Since when the volume is attached, and as which disk: while the first stays, so must the second. */
  readonly attachment: string;
  readonly disk: string;
  readonly sizeBytes: number;
  /** Why the file system stays smaller; undefined when it does not. */
  readonly failure: string | undefined;
}

/** How it went with the growth of a file system, for who asked for it. */
export type FilesystemGrowth =
  | { readonly kind: 'grown' }
  | { readonly kind: 'not-mounted' }
  | { readonly kind: 'later'; readonly why: string };

/**
 * Grows the file systems of volumes that are mounted here when their devices have grown, whoever asked the array for it. Looks at this
 * host only, so it may look often; where the array has more than the device shows, the attacher is asked to look again, once.
 */
export class DeviceGrowth {
  readonly #parts: DeviceGrowthParts;
  readonly #times: DeviceGrowthTimes;
  readonly #looks: Periodic;
  readonly #settled = new Map<string, Settled>();
  /** Sizes at the array for which the attacher was asked, by volume. */
  readonly #asked = new Map<VolumeId, number>();

  constructor(parts: DeviceGrowthParts, times: DeviceGrowthTimes) {
    this.#parts = parts;
    this.#times = times;
    const { clock, log } = parts;
    this.#looks = new Periodic({
      clock,
      firstMs: times.lookMs,
      pauseMs: () => times.lookMs,
      turn: (signal) => this.#lookAtAll(signal),
      around: (work) => parts.trace.apart('growth', work),
      onError: (error) => {
        log.error({ error: String(error) }, 'looking at the sizes of devices failed unexpectedly');
      },
    });
  }

  start(): void {
    this.#looks.start();
  }

  /** Resolves when the look in progress has been ended. */
  stop(): Promise<void> {
    return this.#looks.stop();
  }

  /** Asks the attacher to look again where the array has more than a mounted volume's device shows, once for each size. */
  async compare(volumes: readonly ArrayVolume[], signal: AbortSignal): Promise<void> {
    const { attacher, journal, log } = this.#parts;
    for (const entry of journal.all()) {
      const volume = volumes.find(({ id }) => id === entry.volumeId);
      if (entry.phase !== 'mounted' || volume === undefined) continue;
      const { id, sizeKiB } = volume;
      const device = await attacher.findDevice(entry.systemId, id);
      if (device === undefined || device.sizeBytes >= sizeKiB * 1024 || this.#asked.get(id) === sizeKiB)
        continue;
      this.#asked.set(id, sizeKiB);
      log.info(
        { volume: entry.name, sizeKiB },
        'the array has made the volume larger than its device shows; asking for the size',
      );
      await this.#askForSizes(entry.name, signal);
    }
  }

  /**
   * Waits until the file system of a volume that has the size at the array fills its device here, or for the signal. To be called
   * without the volume's lock.
   */
  async follow(name: string, sizeKiB: number, signal: AbortSignal): Promise<FilesystemGrowth> {
    const { attacher, clock, journal } = this.#parts;
    let askAtMs = clock.elapsed() + this.#times.rescanMs;
    for (;;) {
      const entry = journal.get(name);
      if (entry?.phase !== 'mounted') return { kind: 'not-mounted' };
      const device = await attacher.findDevice(entry.systemId, entry.volumeId);
      const followed = await this.#followed(entry, { device, sizeKiB }, signal);
      if (followed !== undefined) return followed;
      const isBehind = (device?.sizeBytes ?? 0) < sizeKiB * 1024;
      if (isBehind && clock.elapsed() >= askAtMs) {
        askAtMs = Infinity;
        await this.#askForSizes(name, signal);
      }
      if (!(await this.#rested(signal)))
        return {
          kind: 'later',
          why: 'the device does not show the new size yet, or something else is done with the volume',
        };
    }
  }

  /** A host that cannot be asked may still be told. */
  async #askForSizes(volume: string, signal: AbortSignal): Promise<void> {
    const { attacher, log } = this.#parts;
    try {
      await attacher.rescan(signal);
    } catch (cause) {
      if (!isPluginError(cause) || signal.aborted) throw cause;
      log.warn({ volume, error: cause.message }, 'the sizes of devices cannot be asked for');
    }
  }

  async #followed(
    entry: HostVolume,
    { device, sizeKiB }: { readonly device: Device | undefined; readonly sizeKiB: number },
    signal: AbortSignal,
  ): Promise<FilesystemGrowth | undefined> {
    if (device === undefined || device.sizeBytes < sizeKiB * 1024) return undefined;
    const settled = (await this.#look(entry, signal)) ?? this.#settled.get(entry.name);
    if (settled === undefined || !isSettled(settled, entry, device)) return undefined;
    return settled.failure === undefined ? { kind: 'grown' } : { kind: 'later', why: settled.failure };
  }

  /** False when the signal ended it. */
  async #rested(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#parts.clock.sleep(POLL_MS, signal);
      return true;
    } catch (cause) {
      if (signal.aborted) return false;
      throw cause;
    }
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    const { journal } = this.#parts;
    for (const entry of journal.all()) await this.#look(entry, signal);
    for (const name of this.#settled.keys())
      if (journal.get(name)?.phase !== 'mounted') this.#settled.delete(name);
  }

  /** Undefined where it is settled, is no business of ours, or could not be done now and is tried at the next look. */
  async #look(entry: HostVolume, signal: AbortSignal): Promise<Settled | undefined> {
    const { attacher, journal, lock, log } = this.#parts;
    const { name } = entry;
    if (entry.phase !== 'mounted' || lock.holders().some((holder) => holder.name === name)) return undefined;
    try {
      const device = await attacher.findDevice(entry.systemId, entry.volumeId);
      if (device === undefined || !this.#isToBeSettled(entry, device)) return undefined;
      if (this.#isAsMounted(entry, device)) return this.#settle(entry, device, undefined);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#times.limitMs)]);
      return await lock.run(name, 'growth', limit, async () => {
        const now = journal.get(name);
        return now?.phase === 'mounted' ? this.#grow(now, limit) : undefined;
      });
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      log.debug({ volume: name, error: cause.message }, 'size of the device not looked at; trying again');
      return undefined;
    }
  }

  /** Another disk in the place of an attached volume's is not its device, whatever its size (rule 14). */
  #isToBeSettled(entry: HostVolume, device: Device): boolean {
    const settled = this.#settled.get(entry.name);
    const { attachment, disk, sizeBytes } = markOf(entry, device);
    if (settled?.attachment !== attachment) return true;
    return settled.disk === disk && settled.sizeBytes !== sizeBytes;
  }

  async #grow(entry: HostVolume, signal: AbortSignal): Promise<Settled | undefined> {
    const own = await findOwnMount(this.#parts, entry);
    if (own === undefined || !this.#isToBeSettled(entry, own.device)) return undefined;
    const { device, mount } = own;
    // What is frozen would keep whoever grows it waiting, and the volume's lock with it.
    if (!mount.readOnly && (await this.#parts.filesystems.isFrozen(device, mount.mountpoint, signal)))
      return undefined;
    const failure = await this.#growMounted(entry, own, signal);
    this.#rememberSize(entry, device);
    return this.#settle(entry, device, failure);
  }

  #settle(entry: HostVolume, device: Device, failure: string | undefined): Settled {
    const settled = { ...markOf(entry, device), failure };
    this.#settled.set(entry.name, settled);
    return settled;
  }

  /**
   * At the first look at an attachment: as large as this host knows it, its file system was seen to when that was learnt, by the Mount or by
   * a look of an earlier life. A device that hangs, as when the array is away, is so not touched and nobody's call waits for it.
   */
  #isAsMounted({ name, volumeId, heldSince }: HostVolume, { sizeBytes }: Device): boolean {
    const known = this.#parts.journal.known(name);
    const attachment = this.#settled.get(name)?.attachment;
    if (attachment === attachmentOf({ volumeId, heldSince })) return false;
    return known?.volumeId === volumeId && known.sizeKiB !== null && known.sizeKiB * 1024 === sizeBytes;
  }

  /** Why it stays smaller, undefined when it does not. */
  async #growMounted(
    { name, systemId, volumeId, mountpoint }: HostVolume,
    { device, mount }: { readonly device: Device; readonly mount: MountEntry },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { attacher, filesystems, log } = this.#parts;
    const fs = FILESYSTEMS.find((known) => known === mount.fsType);
    if (fs === undefined) return `it has ${mount.fsType}, which this plugin does not grow`;
    if (mount.readOnly) return 'it is mounted read-only';
    const held = await attacher.holdDevice(systemId, volumeId, device, signal);
    try {
      const grew = await filesystems.grow(held.device, mountpoint, fs, signal);
      await held.assertSame(signal);
      if (grew)
        log.info({ volume: name, sizeBytes: device.sizeBytes }, 'file system grown to its volume, in use');
      return undefined;
    } catch (cause) {
      if (!(cause instanceof FilesystemError)) throw cause;
      log.warn(
        { volume: name, sizeBytes: device.sizeBytes, error: cause.message },
        'file system not grown to its volume; the next Mount tries again',
      );
      return cause.message;
    } finally {
      await held.close();
    }
  }

  /** Get of a mounted volume is answered from here. */
  #rememberSize({ name, volumeId }: HostVolume, { sizeBytes }: Device): void {
    const { journal } = this.#parts;
    const known = journal.known(name);
    const sizeKiB = Math.floor(sizeBytes / 1024);
    if (known?.volumeId === volumeId && known.sizeKiB !== sizeKiB) journal.remember({ ...known, sizeKiB });
  }
}

const POLL_MS = 100;

function markOf(
  { volumeId, heldSince }: HostVolume,
  { number, diskSequence = '', sizeBytes }: Device,
): Omit<Settled, 'failure'> {
  return { attachment: attachmentOf({ volumeId, heldSince }), disk: `${number} ${diskSequence}`, sizeBytes };
}

function attachmentOf({ volumeId, heldSince = '' }: Pick<HostVolume, 'volumeId' | 'heldSince'>): string {
  return `${volumeId} ${heldSince}`;
}

function isSettled(settled: Settled, entry: HostVolume, device: Device): boolean {
  const { attachment, disk, sizeBytes } = markOf(entry, device);
  return settled.attachment === attachment && settled.disk === disk && settled.sizeBytes === sizeBytes;
}
