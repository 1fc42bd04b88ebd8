import type { VolumeId } from '../../array/ids.ts';
import type { AuditRecord, News, OwnAction } from '../ports.ts';
import type { StewardSnapshot } from '../steward.ts';
import { joined, type Movement } from './movements.ts';
import type { TimelineEntry } from './page-data.ts';
import type { ArrayView } from './array-view.ts';

const KEPT = 200;
/** A volume that comes to a host so soon after it left another has moved. */
const MOVE_WITHIN_MS = 120_000;

/** What the steward itself has to tell. */
export type Told = Pick<StewardSnapshot, 'audit' | 'news'>;

interface Noted {
  readonly number: number;
  readonly at: number;
  readonly movement: Movement;
}

/** The last movements, in memory only. */
export class Timeline {
  #noted: Noted[] = [];
  #count = 0;

  /** Takes in what changed up to this sighting. */
  note(movements: readonly Movement[], now: ArrayView): void {
    for (const movement of movements.slice(-KEPT)) this.#add(movement, now);
    this.#noted = this.#noted.slice(-KEPT);
  }

  /** Movements, what the steward did and what it found new, newest first, the last 200. */
  entries({ audit, news }: Told): TimelineEntry[] {
    const movements = this.#noted.map(entryOfMovement);
    return [...news.map(entryOfNews), ...audit.map(entryOfAudit), ...movements]
      .reverse()
      .sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0))
      .slice(0, KEPT);
  }

  /** The movements of one volume among the last 200, newest first. */
  movesOf(id: VolumeId): TimelineEntry[] {
    return this.#noted
      .filter(({ movement }) => movement.about === id)
      .map(entryOfMovement)
      .reverse();
  }

  #add(movement: Movement, now: ArrayView): void {
    const left = this.#noted.findLast(({ at, movement: { about, from } }) => {
      return from !== undefined && about === movement.about && now.at - at <= MOVE_WITHIN_MS;
    });
    const whole = left === undefined ? undefined : joined(left.movement, movement, now);
    if (whole !== undefined) this.#noted = this.#noted.filter((noted) => noted !== left);
    this.#count += 1;
    this.#noted.push({ number: this.#count, at: now.at, movement: whole ?? movement });
  }
}

function entryOfMovement({ number, at, movement: { kind, text } }: Noted): TimelineEntry {
  return { id: `m${number}`, at: new Date(at).toISOString(), kind, outcome: null, text };
}

function entryOfNews({ at, kind, text }: News): TimelineEntry {
  return { id: `n${at} ${text}`, at, kind, outcome: null, text };
}

function entryOfAudit({ at, action, target, outcome, why, by }: AuditRecord): TimelineEntry {
  const asked = by === undefined ? '' : `; asked for by token "${by}"`;
  const text = `${action.replace('-', ' ')} ${target}: ${why}${asked}`;
  return {
    id: `a${at} ${outcome} ${text}`,
    at,
    kind: isOwn(action) ? KINDS[action] : 'asked',
    outcome,
    text,
  };
}

function isOwn(action: AuditRecord['action']): action is OwnAction {
  return action in KINDS;
}

const KINDS: Readonly<Record<OwnAction, TimelineEntry['kind']>> = {
  alert: 'alert',
  grow: 'growth',
  'remove-volume': 'cleanup',
  unmap: 'cleanup',
};
