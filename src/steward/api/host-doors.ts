import type { Attachment } from '../../array/volume.ts';
import { HostNeededError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { quote } from '../../units/quote.ts';
import {
  isRepeatedLook,
  type OperatorActions,
  type Result,
  type Wanted,
} from '../../volumes/operator-actions.ts';

/** What a host does for a steward. */
export type HostAction = 'takeSnapshots' | 'restore' | 'limit' | 'rename' | 'grow' | 'create' | 'lookAtRoom';
export type HostActions = Pick<OperatorActions, HostAction>;

/** The host does not answer, or does not let the steward in: nothing was asked. The message says why. */
export class HostAwayError extends Error {}

/** A host that the policy names. */
export interface HostDoor {
  /** As the array knows it: name, address or id. */
  readonly host: string;
  readonly address: string;
  /** Reject with HostAwayError, and else as the host says. */
  readonly actions: HostActions;
}

/** Who is to do it, and why it takes a host. */
export interface Needed {
  readonly why: string;
  /** What to do where no host can be asked. */
  readonly remedy: string;
}

/** What to do about something that takes a host, where none can be asked from here. */
export const ON_A_HOST = 'use docker-volume-scaleio volume on a host where the plugin runs';

/** How long a host may take to be away before it is remembered, and for how long then. */
const SLOW_MS = 1000;
const REMEMBERED_MS = 30_000;

interface Away {
  readonly untilMs: number;
  readonly why: string;
}

/**
 * The hosts that may be asked for what the steward cannot do. Each thing is asked of one host, and never again once it was sent. A host that was waited for in
 * vain counts as away for a while, so that not every call waits for it; one that says at once that it does not listen costs nothing and is asked each time.
 */
export class HostDoors {
  readonly #doors: readonly HostDoor[];
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #log: Log;
  readonly #away = new Map<HostDoor, Away>();

  constructor(
    doors: readonly HostDoor[],
    { clock, log }: { readonly clock: Pick<Clock, 'elapsed'>; readonly log: Log },
  ) {
    this.#doors = doors;
    this.#clock = clock;
    this.#log = log;
  }

  /** Has the first do it that answers, in the order of the policy. Rejects with HostNeededError where none does, and else as the host says. */
  async askAny<A extends HostAction>(
    action: A,
    wanted: Wanted<A>,
    { why, cause, signal }: { readonly why: string; readonly cause?: unknown; readonly signal: AbortSignal },
  ): Promise<Result<A>> {
    const away: string[] = [];
    for (const door of this.#doors) {
      try {
        return await this.#ask(door, { action, wanted }, signal);
      } catch (error) {
        if (!(error instanceof HostAwayError)) throw error;
        away.push(`${nameOf(door)} ${error.message}`);
      }
    }
    const none =
      away.length === 0
        ? "no host offers the operator's door to this steward"
        : `no host that offers the operator's door to this steward can be asked: ${away.join(', ')}`;
    throw new HostNeededError(`${why}, and ${none}`, { remedy: ON_A_HOST, cause });
  }

  /** Has the host do it that has the volume. Rejects with HostNeededError that names it where it cannot be asked, and else as the host says. */
  async askHolder<A extends HostAction>(
    holder: Attachment,
    { action, wanted }: { readonly action: A; readonly wanted: Wanted<A> },
    { needed: { why, remedy }, signal }: { readonly needed: Needed; readonly signal: AbortSignal },
  ): Promise<Result<A>> {
    const door = this.#doors.find(({ host }) => isNameOf(host, holder));
    if (door === undefined)
      throw new HostNeededError(`${why}, and does not offer the operator's door to this steward`, { remedy });
    try {
      return await this.#ask(door, { action, wanted }, signal);
    } catch (cause) {
      if (!(cause instanceof HostAwayError)) throw cause;
      throw new HostNeededError(`${why}, and its door ${quote(door.address)} ${cause.message}`, {
        remedy,
        cause,
      });
    }
  }

  async #ask<A extends HostAction>(
    door: HostDoor,
    { action, wanted }: { readonly action: A; readonly wanted: Wanted<A> },
    signal: AbortSignal,
  ): Promise<Result<A>> {
    const { host, address, actions } = door;
    const facts = { host, address, action };
    const beganMs = this.#clock.elapsed();
    const away = this.#away.get(door);
    if (away !== undefined && beganMs < away.untilMs) throw new HostAwayError(away.why);
    const isRepeated = isRepeatedLook(action);
    this.#log[isRepeated ? 'debug' : 'info']({ ...facts, ...wanted }, 'a host is asked');
    try {
      return await asked(actions, action, wanted, signal);
    } catch (error) {
      if (error instanceof HostAwayError) this.#remember(door, error, beganMs);
      this.#log[isRepeated ? 'debug' : 'warn'](
        { ...facts, error: String(error) },
        'a host did not do what it was asked',
      );
      throw error;
    }
  }

  #remember(door: HostDoor, { message }: HostAwayError, beganMs: number): void {
    const nowMs = this.#clock.elapsed();
    if (nowMs - beganMs < SLOW_MS) return;
    const why = `${message}, and is asked again ${REMEMBERED_MS / 1000} s after that`;
    this.#away.set(door, { untilMs: nowMs + REMEMBERED_MS, why });
  }
}

function asked<A extends HostAction>(
  actions: HostActions,
  action: A,
  wanted: Wanted<A>,
  signal: AbortSignal,
): Promise<Result<A>> {
  return actions[action](wanted, signal);
}

function nameOf({ host, address }: HostDoor): string {
  return `${host} (${quote(address)})`;
}

/** Names of hosts are compared as they are; ids and addresses however they are written. */
function isNameOf(host: string, { hostId, hostName, hostAddress }: Attachment): boolean {
  const plain = host.toLowerCase();
  return host === hostName || plain === hostAddress?.toLowerCase() || plain === hostId.toLowerCase();
}
