import { VolumeNotFoundError, isPluginError } from '../errors.ts';
import { StartDeadline } from '../volumes/life/start-deadline.ts';
import { creatingAsked, type CreateAsked } from '../volumes/life/create-asked.ts';
import type { NewVolumes } from '../volumes/options/classes.ts';
import type { CallContext } from './driver-call.ts';
import type { DriverVolume, VolumeDriver } from './volume-driver.ts';
import type { VolumeHost } from '../volumes/volume-host.ts';
import { SnapshotViews } from '../volumes/copies/snapshot-views.ts';
import { VolumeLookup } from '../volumes/life/lookup.ts';
import { MountVolume } from '../volumes/life/mount.ts';
import { arrayNameFor, volumeNameOf, isOurs, validateVolumeName } from '../volumes/naming.ts';
import { isAttached, type Claimant, type HostVolume } from '../volumes/host-volume.ts';
import type { KnownVolume } from '../volumes/ports.ts';
import { explained } from '../volumes/readiness.ts';
import { dropClaim, unmountVolume } from '../volumes/life/unmount.ts';
import { RemoveVolume } from '../volumes/life/remove.ts';
import { claimantOf } from './mount-id.ts';
import { describeStatus } from './status.ts';
import { VolumeLock } from '../volumes/life/volume-lock.ts';
import { asArrayName, type PoolId } from '../array/ids.ts';
import type { StoragePool } from '../array/pool.ts';
import type { ArrayVolume } from '../array/volume.ts';
import type { VolumeName } from '../volumes/volume.ts';

/** How long Get waits for the array, ms: where memory can answer instead, within podman's limit of 5 s. */
const KNOWN_VOLUME_MS = 4000;
const UNKNOWN_VOLUME_MS = 9000;
/**
 * How long List waits for the first volume, ms: Podman hangs up after 5 s, and a list that is refused is better than one that never
 * comes. One that flows may take its time: Docker waits a minute, and 100,000 volumes may need more than seconds.
 */
const LIST_BEGINS_MS = 3500;

/**
 * The verbs of Docker's volume driver over the use cases: validates names, serialises per volume, and answers from this
 * host's own knowledge where the array is not needed or not there (rule 7).
 */
export class Driver implements VolumeDriver {
  readonly lock: VolumeLock;
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;
  readonly #create: CreateAsked;
  readonly #mount: MountVolume;
  readonly #remove: RemoveVolume;
  readonly #views: SnapshotViews;
  readonly #lastSeen = new Map<string, ArrayVolume>();
  readonly #removing = new Set<string>();
  readonly #pools = new Map<string, StoragePool>();
  /** Called when something was left for the reconciler. */
  readonly #nudge: () => void;

  constructor(host: VolumeHost, newVolumes: NewVolumes, lock: VolumeLock, nudge: () => void) {
    this.#host = host;
    this.lock = lock;
    this.#nudge = nudge;
    this.#lookup = new VolumeLookup(host);
    this.#create = creatingAsked(host, this.#lookup, { lock, newVolumes });
    this.#mount = new MountVolume(host, this.#lookup);
    this.#remove = new RemoveVolume(host, this.#lookup);
    this.#views = new SnapshotViews(host, this.#lookup);
  }

  /** See CreateVolume. Rejects with InvalidRequestError before anything is changed. */
  async create(
    rawName: string,
    rawOptions: Readonly<Record<string, string>>,
    call: CallContext,
  ): Promise<void> {
    const warn = (volume: VolumeName, warning: string): void => {
      this.#host.log.warn({ volume, requestId: call.requestId }, warning);
    };
    await this.#create({ name: rawName, options: rawOptions }, warn, call.signal);
  }

  /** Unknown volume is success: the engine's list may be older than the array's. */
  async remove(rawName: string, call: CallContext): Promise<void> {
    const name = validateVolumeName(rawName);
    await this.lock.run(name, 'remove', call.signal, async () => {
      this.#removing.add(name);
      try {
        await this.#remove.remove(name, call.signal);
        this.#lastSeen.delete(name);
      } finally {
        this.#removing.delete(name);
        this.#nudge();
      }
    });
  }

  /** The path to bind into the container. A client that hung up meanwhile holds nothing (rule 6). */
  async mount(rawName: string, mountId: string, call: CallContext): Promise<string> {
    const name = validateVolumeName(rawName);
    const claimant = claimantOf(mountId);
    try {
      return await explained(this.#host.readiness, () =>
        this.lock.run(name, 'mount', call.signal, async () => {
          const { path } = await this.#mount.mount(name, claimant, call.signal);
          this.#dropIfClientLeaves(name, claimant, call);
          return path;
        }),
      );
    } finally {
      this.#nudge();
    }
  }

  /** Unknown volume or holder is success, also without a gateway (rule 7). */
  async unmount(rawName: string, mountId: string, call: CallContext): Promise<void> {
    const name = validateVolumeName(rawName);
    const claimant = claimantOf(mountId);
    await this.lock.run(name, 'unmount', call.signal, async () => {
      let mayBeLeft = true;
      try {
        mayBeLeft = await unmountVolume(this.#host, { name, claimant }, call.signal);
      } finally {
        if (mayBeLeft) this.#nudge();
      }
    });
  }

  /** Where the volume is mounted now, '' if it is not. */
  async path(rawName: string): Promise<string> {
    const entry = this.#host.journal.get(validateVolumeName(rawName));
    return entry === undefined ? '' : this.#pathOf(entry);
  }

  /**
   * What is known of the volume. Never fails because the array is away for a volume that this host has mounted or has
   * seen; VolumeNotFoundError means that it truly is not there.
   */
  async get(rawName: string, call: CallContext): Promise<DriverVolume> {
    const name = existingName(rawName);
    const entry = this.#host.journal.get(name);
    const known = this.#host.journal.known(name);
    if (entry?.phase === 'mounted') return this.#describe(name, known === undefined, call.signal);
    try {
      const patience = known === undefined ? UNKNOWN_VOLUME_MS : KNOWN_VOLUME_MS;
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(patience)]);
      const exact = await this.#lookup.findTogether(name, signal);
      const volume = exact ?? (await this.#views.find(name, signal));
      if (volume === undefined)
        throw new VolumeNotFoundError(`no volume "${name}" on the array; create it first`);
      this.#lookup.remember(name, volume);
      this.#lastSeen.set(name, volume);
      if (exact !== undefined) this.#prepareFor(volume);
      return await this.#describe(name, false, call.signal);
    } catch (cause) {
      if (cause instanceof VolumeNotFoundError || this.#knownHere(name) === undefined) throw cause;
      const reason = isPluginError(cause) ? cause.message : String(cause);
      this.#host.log.warn({ volume: name, error: reason }, 'array not asked; answering from memory');
      return this.#describe(name, true, call.signal);
    }
  }

  /** Volumes that bear our prefix, by their full name where this host knows it; one gateway call. */
  async list(call: CallContext): Promise<readonly { readonly name: string; readonly mountpoint: string }[]> {
    const { array, journal, policy } = this.#host;
    // A shortened name stays as the array has it, with its '~', until its full name is looked up.
    const patience = new StartDeadline(LIST_BEGINS_MS);
    const pick = (arrayName: string): string | undefined => {
      patience.end();
      return (
        volumeNameOf(policy.prefix, arrayName) ?? (isOurs(policy.prefix, arrayName) ? arrayName : undefined)
      );
    };
    const names = await array
      .listVolumeNames(pick, AbortSignal.any([call.signal, patience.signal]))
      .finally(() => {
        patience.end();
      });
    const isShortened = (name: string): boolean => name.includes('~');
    const known = names.some(isShortened) ? journal.allKnown() : [];
    const fullNames = new Map<string, VolumeName>(known.map(({ arrayName, name }) => [arrayName, name]));
    const mountpoints = new Map(
      journal
        .all()
        .flatMap(({ phase, name, mountpoint }) => (phase === 'mounted' ? [[name, mountpoint] as const] : [])),
    );
    return names.flatMap((listed) => {
      const name = isShortened(listed) ? fullNames.get(listed) : listed;
      // A shortened name that this host never saw in full cannot be asked for, so it must not be offered.
      if (name === undefined || this.#removing.has(name)) return [];
      return [{ name, mountpoint: mountpoints.get(name) ?? '' }];
    });
  }

  /** A Mount may be next, here or where another host has failed: its mountpoint is made meanwhile. */
  #prepareFor(volume: ArrayVolume): void {
    const { filesystems, log } = this.#host;
    const mountpoint = filesystems.mountpointOf(asArrayName(volume.name ?? volume.id));
    filesystems.prepareMountpoint(mountpoint).catch((cause: unknown) => {
      log.debug({ mountpoint, error: String(cause) }, 'mountpoint not made ahead; the mount will tell why');
    });
  }

  /** The engine never unmounts what it gave up waiting for, so its ID must not hold the volume (rule 6). */
  #dropIfClientLeaves(name: VolumeName, claimant: Claimant, call: CallContext): void {
    const drop = (): void => {
      this.#abandon(name, claimant).catch((cause: unknown) => {
        this.#host.log.error(
          { volume: name, holder: claimant, error: String(cause) },
          'cannot drop an abandoned holder',
        );
      });
    };
    if (call.clientGone.aborted) drop();
    else call.clientGone.addEventListener('abort', drop, { once: true });
  }

  async #abandon(name: VolumeName, claimant: Claimant): Promise<void> {
    const { cleanupMs } = this.#host.policy;
    await this.lock.run(name, 'drop holder', AbortSignal.timeout(cleanupMs), async () => {
      if (!(await dropClaim(this.#host, name, claimant))) return;
      this.#host.log.warn(
        { volume: name, holder: claimant },
        'client hung up before its mount was answered; holder dropped',
      );
    });
    this.#nudge();
  }

  async #pathOf(entry: HostVolume): Promise<string> {
    try {
      return (await this.#mount.pathOf(entry)) ?? '';
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      this.#host.log.warn({ volume: entry.name, error: cause.message }, 'mount is not usable');
      return '';
    }
  }

  async #describe(name: VolumeName, stale: boolean, signal: AbortSignal): Promise<DriverVolume> {
    const { journal, policy, identity } = this.#host;
    const known = this.#knownHere(name);
    if (known === undefined)
      throw new VolumeNotFoundError(`no volume "${name}" on the array; create it first`);
    const entry = journal.get(name);
    const isMounted = entry?.phase === 'mounted';
    const me = identity.last;
    return {
      name,
      mountpoint: isMounted ? await this.#pathOf(entry) : '',
      createdAt: known.createdAtSeconds === null ? undefined : new Date(known.createdAtSeconds * 1000),
      status: describeStatus({
        known: { ...known, arrayName: known.arrayName || arrayNameFor(policy.prefix, name) },
        volume: this.#lastSeen.get(name),
        pool: await this.#poolOf(known, { isKept: stale || isMounted }, signal),
        entry,
        marker: isMounted ? this.#host.markers.stateOf(known.volumeId) : undefined,
        stale,
        lastFence: await this.#host.fences.latest(known.volumeId),
        self: me === undefined ? undefined : { sdc: me.hostName ?? me.hostId, ip: me.hostAddress },
      }),
    };
  }

  /** What this host remembers, or what its journal alone tells of a volume that it works with. */
  #knownHere(name: VolumeName): KnownVolume | undefined {
    const { journal } = this.#host;
    const entry = journal.get(name);
    const known = journal.known(name);
    if (known !== undefined || entry === undefined || !isAttached(entry)) return known;
    const { arrayName, volumeId } = entry;
    const unknown = {
      sizeKiB: null,
      createdAtSeconds: null,
      poolId: null,
      readOnly: false,
      label: undefined,
    };
    return { name, arrayName, volumeId, ...unknown };
  }

  /** `isKept`: no call is worth it. */
  async #poolOf(
    { poolId }: KnownVolume,
    { isKept }: { readonly isKept: boolean },
    signal: AbortSignal,
  ): Promise<StoragePool | undefined> {
    if (poolId === null) return undefined;
    return isKept ? this.#pools.get(poolId) : this.#pool(poolId, signal);
  }

  async #pool(id: PoolId, signal: AbortSignal): Promise<StoragePool | undefined> {
    try {
      const pool = await this.#host.array.describePool(id, signal);
      if (pool !== undefined) this.#pools.set(id, pool);
      return pool;
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      return this.#pools.get(id);
    }
  }
}

/** A name that no volume can have is simply not there; only Create and the others explain what is wrong with it. */
function existingName(raw: string): VolumeName {
  try {
    return validateVolumeName(raw);
  } catch (cause) {
    throw new VolumeNotFoundError(
      `no volume ${JSON.stringify(raw.slice(0, 64))}: no volume can have this name`,
      { cause },
    );
  }
}
