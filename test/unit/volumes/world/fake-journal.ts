import type { Clock } from '../../../../src/runtime/clock.ts';
import { afterBoot, assertFollows } from '../../../../src/volumes/host-volume.ts';
import type { VolumeId } from '../../../../src/array/ids.ts';
import type {
  DroppedRestore,
  DroppedRestores,
  FenceLog,
  FenceRecord,
  HostVolume,
  Journal,
  KnownVolume,
} from '../../../../src/volumes/ports.ts';

/** What all journals of this test file have seen: steps as "from → to", and the states in which a life ended. */
export const JOURNALED = { steps: new Set<string>(), left: new Set<string>() };

function noteStep(from: HostVolume | undefined, to: HostVolume | undefined): void {
  JOURNALED.steps.add(`${from?.phase ?? 'nothing'} → ${to?.phase ?? 'nothing'}`);
}

/** The state directory of one host: survives the plugin's death and reboots. */
export class FakeDisk {
  entries = new Map<string, HostVolume>();
  known = new Map<string, KnownVolume>();
  readonly fences: FenceRecord[] = [];
  droppedRestores: readonly DroppedRestore[] = [];
  bootId = '';
  mustRebuild = false;
  /** False: what is remembered never reaches the disk in time. */
  keepsKnown = true;

  /** The file cannot be read at the next start. */
  loseJournal(): void {
    this.entries.clear();
    this.mustRebuild = true;
  }
}

/** Restores that were dropped, as one life of the plugin records them. */
export class FakeDroppedRestores implements DroppedRestores {
  readonly #disk: FakeDisk;
  readonly #isAlive: () => boolean;

  constructor(disk: FakeDisk, isAlive: () => boolean) {
    this.#disk = disk;
    this.#isAlive = isAlive;
  }

  all(): Promise<readonly DroppedRestore[]> {
    return Promise.resolve(this.#disk.droppedRestores);
  }

  add(dropped: DroppedRestore): Promise<void> {
    const others = this.#disk.droppedRestores.filter((one) => one.volumeId !== dropped.volumeId);
    return this.#write([...others, dropped]);
  }

  forget(volumeId: VolumeId): Promise<void> {
    return this.#write(this.#disk.droppedRestores.filter((one) => one.volumeId !== volumeId));
  }

  #write(records: readonly DroppedRestore[]): Promise<void> {
    if (this.#isAlive()) this.#disk.droppedRestores = records;
    return Promise.resolve();
  }
}

/** Fences as one life of the plugin records them. */
export class FakeFenceLog implements FenceLog {
  readonly #disk: FakeDisk;
  readonly #clock: Pick<Clock, 'now' | 'elapsed'>;
  readonly #isAlive: () => boolean;
  readonly #moments = new Map<FenceRecord, number>();

  constructor(disk: FakeDisk, clock: Pick<Clock, 'now' | 'elapsed'>, isAlive: () => boolean) {
    this.#disk = disk;
    this.#clock = clock;
    this.#isAlive = isAlive;
  }

  record(fence: FenceRecord): void {
    this.#moments.set(fence, this.#clock.elapsed());
    if (this.#isAlive()) this.#disk.fences.push(fence);
  }

  recentOf(volumeId: string, windowMs: number): readonly FenceRecord[] {
    return this.#disk.fences.filter((fence) => {
      const madeAt = this.#moments.get(fence);
      const ageMs =
        madeAt === undefined ? this.#clock.now() - Date.parse(fence.at) : this.#clock.elapsed() - madeAt;
      return fence.volumeId === volumeId && ageMs <= windowMs;
    });
  }

  latest(volumeId: string): Promise<FenceRecord | undefined> {
    return Promise.resolve(this.#disk.fences.filter((fence) => fence.volumeId === volumeId).at(-1));
  }
}

/** The journal of one life over the host's disk. */
export class FakeJournal implements Journal {
  mustRebuild: boolean;
  readonly #disk: FakeDisk;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #openedAt: number;
  readonly #moments = new Map<string, number>();
  readonly #isAlive: () => boolean;
  readonly #entries: Map<string, HostVolume>;
  readonly #known: Map<string, KnownVolume>;

  constructor(
    disk: FakeDisk,
    { bootId, clock }: { readonly bootId: string; readonly clock: Pick<Clock, 'elapsed'> },
    isAlive: () => boolean,
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#openedAt = clock.elapsed();
    this.#isAlive = isAlive;
    this.mustRebuild = disk.mustRebuild;
    for (const { phase } of disk.entries.values()) JOURNALED.left.add(phase);
    const isSameBoot = disk.bootId === bootId;
    this.#entries = new Map(
      [...disk.entries].map(([name, entry]) => [name, isSameBoot ? entry : afterBoot(entry)]),
    );
    this.#known = new Map(disk.known);
    disk.bootId = bootId;
    disk.entries = new Map(this.#entries);
  }

  get(name: string): HostVolume | undefined {
    return this.#entries.get(name);
  }

  all(): readonly HostVolume[] {
    return [...this.#entries.values()];
  }

  ageMs(name: string): number {
    if (!this.#entries.has(name)) return Number.POSITIVE_INFINITY;
    return this.#clock.elapsed() - (this.#moments.get(name) ?? this.#openedAt);
  }

  put(entry: HostVolume): Promise<void> {
    const before = this.#entries.get(entry.name);
    assertFollows(before, entry);
    noteStep(before?.volumeId === entry.volumeId ? before : undefined, entry);
    if (before?.since !== entry.since) this.#moments.set(entry.name, this.#clock.elapsed());
    this.#entries.set(entry.name, structuredClone(entry));
    if (this.#isAlive()) this.#disk.entries.set(entry.name, structuredClone(entry));
    return Promise.resolve();
  }

  delete(name: string): Promise<void> {
    if (this.#entries.has(name)) noteStep(this.#entries.get(name), undefined);
    this.#entries.delete(name);
    this.#moments.delete(name);
    if (this.#isAlive()) this.#disk.entries.delete(name);
    return Promise.resolve();
  }

  rebuilt(): Promise<void> {
    this.mustRebuild = false;
    if (this.#isAlive()) this.#disk.mustRebuild = false;
    return Promise.resolve();
  }

  known(name: string): KnownVolume | undefined {
    return this.#known.get(name);
  }

  allKnown(): readonly KnownVolume[] {
    return [...this.#known.values()];
  }

  remember(volume: KnownVolume): void {
    this.#known.set(volume.name, structuredClone(volume));
    if (this.#isAlive() && this.#disk.keepsKnown) this.#disk.known.set(volume.name, structuredClone(volume));
  }

  forget(name: string): void {
    this.#known.delete(name);
    if (this.#isAlive() && this.#disk.keepsKnown) this.#disk.known.delete(name);
  }
}
