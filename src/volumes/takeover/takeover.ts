import { CancelledError, GatewayRejectedError, VolumeInUseError, VolumeNotFoundError } from '../../errors.ts';
import { fenceHolder } from './fence.ts';
import { isMarkedNever, markedPolicy } from './failover-marker.ts';
import {
  describeHolder,
  describeSelf,
  isHeldBy,
  stateOfHolder,
  attachmentsOfOthers,
  readAgain,
} from './holders.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { FenceRecord } from '../ports.ts';
import type { HostState } from '../../array/host.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';
import type { FailoverPolicy } from '../volume.ts';

/** What a takeover needs of its host. */
export type TakingHost = Pick<VolumeHost, 'array' | 'clock' | 'fences' | 'policy'>;

/** One Mount's wish to have a volume. */
export interface Claim {
  /** The volume's name. */
  readonly name: string;
  readonly me: HostIdentity;
  /** SDCs that held the volume when the Mount first looked: who came later has won a race and is never fenced by it. */
  readonly firstHolders: ReadonlySet<string>;
  /** The policy in the volume's label, where this host has seen it and it was made with one. */
  readonly remembered?: FailoverPolicy | undefined;
}

interface Situation {
  readonly volume: ArrayVolume;
  readonly attachment: Attachment;
  readonly policy: FailoverPolicy;
  /** The policy is the label's alone: its marker on the array is gone. */
  readonly isUnmarked?: true | undefined;
  readonly state: HostState;
  /** I/O operations that the array counted; undefined: not asked. */
  readonly io: number | undefined;
}

interface Verdict {
  readonly allowed: boolean;
  /** As it follows "held by host X, ". */
  readonly why: string;
}

/**
 * Frees a volume that another SDC holds, if its failover policy lets it (rule 2): waits for a holder that is alive to
 * let go, asks the array about it, and takes away that one SDC's mapping, never more. Each fence leaves one record.
 */
export class Takeover {
  readonly #host: TakingHost;

  constructor(host: TakingHost) {
    this.#host = host;
  }

  /**
   * The volume as read when no other SDC held it. With a holder that has lost the array: four gateway calls. Rejects
   * with VolumeInUseError that names the holder, its state, and the command that would force it; also when the signal
   * fires while a holder that is alive is waited for.
   */
  async free(volume: ArrayVolume, claim: Claim, signal: AbortSignal): Promise<ArrayVolume> {
    const startedMs = this.#host.clock.elapsed();
    let now = volume;
    for (;;) {
      const [mapping, ...more] = attachmentsOfOthers(now, claim.me);
      if (mapping === undefined) return now;
      if (more.length > 0) throw severalHolders(now, claim);
      const situation = await this.#outwait(await this.#look(now, mapping, claim, signal), claim, signal);
      if (isHeldBy(situation.volume, mapping)) return this.#takeAway(situation, claim, { startedMs, signal });
      now = situation.volume;
    }
  }

  /**
   * One call for a holder that has lost the array and that no known policy protects: only "never" can, which is asked last. Else two, the
   * second of which tells the policy and is at the same time a fresh look at the volume.
   */
  async #look(
    volume: ArrayVolume,
    attachment: Attachment,
    claim: Claim,
    signal: AbortSignal,
  ): Promise<Situation> {
    const { array, policy } = this.#host;
    const state = await stateOfHolder(array, attachment, signal);
    // Rule 16: a marker may have been lost; the label is what it was made with.
    const assumed = claim.remembered ?? policy.failover;
    const situation = { volume, attachment, state, policy: assumed, io: undefined };
    if (state === 'disconnected' && assumed !== 'never') return situation;
    const family = await array.volumesOfFamily(volume, signal);
    const now = family.find(({ id }) => id === volume.id);
    if (now === undefined)
      throw new VolumeNotFoundError(`volume "${volume.name ?? volume.id}" was removed meanwhile`);
    const marked = markedPolicy(now, family);
    if (marked !== undefined)
      return { ...situation, volume: now, policy: marked === 'default' ? policy.failover : marked };
    return { ...situation, volume: now, isUnmarked: claim.remembered === undefined ? undefined : true };
  }

  /** Gives a holder that is alive the time to let go by itself, and watches meanwhile whether it is idle. */
  async #outwait(first: Situation, claim: Claim, signal: AbortSignal): Promise<Situation> {
    const { clock, array, policy } = this.#host;
    const { graceMs, idleWindowMs, pollMs } = policy.takeover;
    const startedMs = clock.elapsed();
    let situation = first;
    for (;;) {
      const { state, volume, attachment } = situation;
      if (state === 'disconnected' || !isHeldBy(volume, attachment)) return situation;
      if (first.policy === 'idle') {
        const io = (situation.io ?? 0) + (await array.recentIo(volume.id, signal));
        situation = { ...situation, io };
      }
      const isUndecided = first.policy === 'idle' && situation.io === 0;
      const waitMs = isUndecided ? Math.max(graceMs, idleWindowMs) : graceMs;
      const leftMs = startedMs + waitMs - clock.elapsed();
      if (leftMs <= 0) return situation;
      situation = await this.#recheck(situation, Math.min(pollMs, leftMs), claim, signal);
    }
  }

  async #recheck(
    situation: Situation,
    afterMs: number,
    claim: Claim,
    signal: AbortSignal,
  ): Promise<Situation> {
    const { clock, array } = this.#host;
    try {
      await clock.sleep(afterMs, signal);
      const volume = await readAgain(array, situation.volume, signal);
      return { ...situation, volume, state: await stateOfHolder(array, situation.attachment, signal) };
    } catch (cause) {
      if (!(cause instanceof CancelledError)) throw cause;
      throw refused(situation, claim, 'which did not let go before the time for this mount was over', cause);
    }
  }

  async #takeAway(
    situation: Situation,
    claim: Claim,
    how: { readonly startedMs: number; readonly signal: AbortSignal },
  ): Promise<ArrayVolume> {
    const { volume, attachment, policy, state } = situation;
    const { allowed, why } = this.#judge(situation, claim);
    if (!allowed) throw refused(situation, claim, why);
    if (await isMarkedNever(this.#host.array, volume.id, how.signal))
      throw refused({ ...situation, policy: 'never' }, claim, `${WORDS[state]} (failover policy "never")`);
    const now = await fenceHolder(
      this.#host,
      {
        name: claim.name,
        by: claim.me.hostId,
        byName: describeSelf(claim.me),
        volume,
        attachment,
        policy,
        holderState: state,
        startedMs: how.startedMs,
        recentIo: await this.#lastIo(situation, how.signal),
      },
      how.signal,
    );
    const [winner] = attachmentsOfOthers(now, claim.me);
    if (winner === undefined) return now;
    throw refused(
      { ...situation, volume: now, attachment: winner },
      claim,
      'which took it at the same moment',
    );
  }

  /** For the record alone: an array that does not say is no reason to leave the volume where it is. */
  async #lastIo({ volume, state, io }: Situation, signal: AbortSignal): Promise<number | undefined> {
    if (io !== undefined || state === 'disconnected') return io;
    try {
      return await this.#host.array.recentIo(volume.id, signal);
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError)) throw cause;
      return undefined;
    }
  }

  #judge({ volume, attachment, policy, state, io, isUnmarked }: Situation, claim: Claim): Verdict {
    const connected = state !== 'disconnected';
    const words = WORDS[state];
    const no = (reason: string): Verdict => ({ allowed: false, why: `${words} (${reason})` });
    if (!claim.firstHolders.has(attachment.hostId))
      return no('it took the volume while this mount was under way');
    if (policy === 'never' && isUnmarked === true)
      return no(
        `failover policy "never" by its label alone, since its marker on the array is gone; put it back: docker-volume-scaleio volume failover ${claim.name} never`,
      );
    if (policy === 'never') return no('failover policy "never"');
    if (policy === 'disconnected' && connected) return no('failover policy "disconnected"');
    if (policy === 'idle' && connected && io !== 0) return no('and doing I/O; failover policy "idle"');
    const { moveLimit, moveWindowMs } = this.#host.policy.takeover;
    const moves = this.#movesWithin(volume, moveWindowMs);
    if (moves >= moveLimit) return no(`and this host took it ${moves} times lately; move limit reached`);
    return { allowed: true, why: words };
  }

  #movesWithin(volume: ArrayVolume, windowMs: number): number {
    const fences = this.#host.fences.recentOf(volume.id, windowMs);
    // What another host had at once was taken too: two that are always late would take it in turn for ever.
    const isMove = ({ outcome }: FenceRecord): boolean => outcome === 'taken' || outcome === 'late';
    return fences.filter(isMove).length;
  }
}

const WORDS: Readonly<Record<HostState, string>> = {
  connected: 'which is connected to the array',
  disconnected: 'which has lost the array',
  unknown: 'which may be using it, since the array does not say that it is away',
};

function refused(
  { attachment, volume, state }: Situation,
  { name }: Claim,
  why: string,
  cause?: unknown,
): VolumeInUseError {
  const advice =
    state !== 'disconnected'
      ? 'an exclusive volume cannot be on two hosts, use --update-order stop-first or stop what uses it there'
      : 'stop what uses it there';
  return new VolumeInUseError(
    `volume "${name}" is held by host ${describeHolder(attachment)}, ${why}: ${advice}, or force it: docker-volume-scaleio volume force-release ${name}`,
    { cause, context: { volumeId: volume.id, holder: attachment.hostId } },
  );
}

function severalHolders(volume: ArrayVolume, { name, me }: Claim): VolumeInUseError {
  const holders = attachmentsOfOthers(volume, me).map(describeHolder).join(', ');
  return new VolumeInUseError(
    `volume "${name}" is held by several hosts, ${holders}, which this plugin never makes: find out who mapped it so, then take it from all but one: docker-volume-scaleio volume force-release ${name} --holder HOST`,
    { context: { volumeId: volume.id } },
  );
}
