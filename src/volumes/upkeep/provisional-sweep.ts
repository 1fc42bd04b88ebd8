import type { VolumeHost } from '../volume-host.ts';
import type { HostIdentity } from '../identity.ts';
import { isViewName, isViewOf } from '../copies/view-names.ts';
import { isProvisionalOf } from '../naming.ts';
import type { ArrayVolume } from '../../array/volume.ts';

const HOUR_MS = 3_600_000;
/** Younger ones may be a Create of a moment ago, be it of a machine that shares our GUID. */
const MIN_AGE_MS = HOUR_MS;
/** And this run must have seen it that long, by a clock that nobody sets. */
const MIN_SEEN_MS = 600_000;

/**
 * Finds provisional volumes of this host that no journal entry tells of: a gateway made them after their Create had
 * given up, or the journal was lost; and views of snapshots that no host has any more. One list, at most hourly and not at the same moment on all hosts.
 */
export class ProvisionalSweep {
  readonly #host: VolumeHost;
  #nextMs: number;
  /** Volume ids, and when this run first saw each so. */
  #seenMs: ReadonlyMap<string, number> = new Map();

  constructor(host: VolumeHost) {
    this.#host = host;
    const jitter = Number.parseInt(host.clock.randomHex(4), 16) / 0xffff;
    this.#nextMs = host.clock.elapsed() + HOUR_MS * (0.25 + 0.75 * jitter);
  }

  /** The journal was lost: look at the next chance. */
  hurry(): void {
    this.#nextMs = this.#host.clock.elapsed();
  }

  /**
   * Those that may be removed now: seen twice, old enough by the array's clock, mapped to nobody else, used by nobody here, and
   * nothing speaks against this host's being who it says. Two gateway calls when something is found, none between looks.
   */
  async find(me: HostIdentity, signal: AbortSignal): Promise<ArrayVolume[]> {
    const { array, clock, policy, journal } = this.#host;
    const now = clock.elapsed();
    if (now < this.#nextMs) return [];
    const passes = (name: string): boolean =>
      isProvisionalOf(me.guid, policy.prefix, name) || isViewName(name);
    const all = (await array.listVolumes(passes, signal)).filter((volume) => this.#isOurs(volume));
    const recorded = new Set<string>(
      journal.all().flatMap(({ volumeId, arrayName }) => [volumeId, arrayName]),
    );
    const left = all.filter(({ id, name }) => !recorded.has(id) && !recorded.has(name ?? ''));
    this.#seenMs = new Map(left.map(({ id }) => [id, this.#seenMs.get(id) ?? now]));
    const isAgain = left.some(({ id }) => now - (this.#seenMs.get(id) ?? now) >= MIN_SEEN_MS);
    // What was just seen for the first time is looked at again as soon as it may be removed.
    this.#nextMs = now + (left.length > 0 && !isAgain ? MIN_SEEN_MS : HOUR_MS);
    const due = left.filter((volume) => this.#isDue(volume, me));
    if (due.length === 0 || !(await this.#isKnownAndConnected(signal))) return [];
    const free: ArrayVolume[] = [];
    for (const volume of due) if (await this.#isUnused(volume, me, signal)) free.push(volume);
    return free;
  }

  /** A view is of all hosts: as long as one has it, it is needed. */
  #isOurs(volume: ArrayVolume): boolean {
    if (!isViewName(volume.name)) return true;
    return isViewOf(this.#host.policy.prefix, volume) && volume.attachments.length === 0;
  }

  #isDue({ id, createdAtSeconds, attachments }: ArrayVolume, me: HostIdentity): boolean {
    const { clock } = this.#host;
    const now = clock.elapsed();
    const isOld = isOldByArray(createdAtSeconds, clock.now());
    const isKnown = now - (this.#seenMs.get(id) ?? now) >= MIN_SEEN_MS;
    return isOld && isKnown && attachments.every(({ hostId }) => hostId === me.hostId);
  }

  async #isKnownAndConnected(signal: AbortSignal): Promise<boolean> {
    const { identity, log } = this.#host;
    const host = await identity.look(signal);
    if (host?.state === 'connected' && identity.doubt === undefined) return true;
    log.info({ doubt: identity.doubt ?? 'its SDC is not connected' }, 'unfinished volumes of this host stay');
    return false;
  }

  async #isUnused(volume: ArrayVolume, { systemId }: HostIdentity, signal: AbortSignal): Promise<boolean> {
    const { attacher, deviceUsers } = this.#host;
    const device = await attacher.findDevice(systemId, volume.id);
    return device === undefined || (await deviceUsers.usersOf(device, '', signal)).length === 0;
  }
}

/** The array stamps in its own time, which can only be held against ours; a volume without a stamp has no age. */
function isOldByArray(createdAtSeconds: number | null, wallMs: number): boolean {
  return createdAtSeconds !== null && wallMs - createdAtSeconds * 1000 >= MIN_AGE_MS;
}
