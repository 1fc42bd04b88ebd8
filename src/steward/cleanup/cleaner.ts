import type { AuditTrail } from '../audit.ts';
import type { CleanupPolicy } from '../policy.ts';
import type { Inventory, StorageArray } from '../../array/storage-array.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { AuditRecord, Cleaning, CleanupFinding, CleanupStatus } from '../ports.ts';
import { ConfigError, isPluginError } from '../../errors.ts';
import { formatDuration } from '../../units/duration.ts';
import { findLeftovers, keyOf, type Leftover, type ReadArray } from './leftovers.ts';
import { recheck, type Recheck, type RecheckedArray } from './recheck.ts';
import { RepeatedFindings } from './repeated-findings.ts';

/** What removing takes. */
export type CleanupArray = RecheckedArray & Pick<StorageArray, 'removeVolume' | 'detachVolume'>;

export interface CleanerParts {
  readonly inventory: Inventory;
  readonly array: CleanupArray;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly log: Log;
}

export interface CleanerRules extends CleanupPolicy {
  /** False: dry run. */
  readonly act: boolean;
  /** Of the names of our volumes. */
  readonly prefix: string;
}

/**
 * Removes what hosts that are gone have left on the array, one leftover at a time. Something is removed only when it has
 * looked like a leftover in several readings in a row and for a while of the steward's own time, and when the array,
 * asked about it alone, still says so.
 */
export class Cleaner implements Cleaning {
  readonly #parts: CleanerParts;
  readonly #rules: CleanerRules;
  readonly #findings: RepeatedFindings;
  /** Keys of leftovers that could not be removed, and when that was tried. */
  readonly #setAside = new Map<string, number>();
  #nextAt: number;
  #leftovers: readonly Leftover[] = [];
  #problem: string | null = null;

  /** Throws ConfigError where any volume of the array would count as ours. */
  constructor(parts: CleanerParts, rules: CleanerRules) {
    if (rules.deadSdcMappings && rules.prefix === '')
      throw new ConfigError(
        'cleanup.deadSdcMappings needs a prefix of volume names: without one, every volume of the array would count as ours; set SCALEIO_PREFIX to what the plugins have',
      );
    this.#parts = parts;
    this.#rules = rules;
    this.#findings = new RepeatedFindings(parts.clock);
    this.#nextAt = parts.clock.elapsed();
  }

  get status(): CleanupStatus {
    return { problem: this.#problem, findings: this.#leftovers.map((leftover) => this.#describe(leftover)) };
  }

  async round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    if (clock.elapsed() < this.#nextAt) return;
    this.#nextAt = clock.elapsed() + this.#rules.every;
    const read = await this.#read(signal);
    if (read === undefined) return;
    this.#observe(read);
    await this.#step(signal);
  }

  lostSight(): void {
    this.#findings.lostSight();
  }

  /** Undefined where the array cannot be read, or says what cannot be: nothing is concluded from that. */
  async #read(signal: AbortSignal): Promise<ReadArray | undefined> {
    const { inventory } = this.#parts;
    try {
      const volumes = await inventory.readVolumes(signal);
      const hosts = await inventory.readHosts(signal);
      // Somebody made the volumes, so a list without a single SDC is not to be believed.
      this.#note(
        hosts.length === 0 ? 'the array lists no SDC at all, which does not prove that all are gone' : null,
      );
      if (hosts.length > 0) return { volumes, hosts, formerly: (id) => inventory.formerly?.(id) };
    } catch (error) {
      if (!isPluginError(error)) throw error;
      this.#note(error.message);
    }
    this.lostSight();
    return undefined;
  }

  #note(problem: string | null): void {
    if (problem !== null && problem !== this.#problem)
      this.#parts.log.warn({ error: problem }, 'what is left over cannot be seen now');
    this.#problem = problem;
  }

  #observe(read: ReadArray): void {
    const { audit, clock } = this.#parts;
    const { provisionalOlderThan, ...search } = this.#rules;
    const found = findLeftovers(read, { ...search, olderThanMs: provisionalOlderThan }, clock.now());
    this.#findings.observe(found.filter(({ obstacle }) => obstacle === undefined).map(keyOf));
    const present = new Set(found.map(({ target }) => target));
    for (const leftover of this.#leftovers)
      if (!present.has(leftover.target)) audit.settle(aboutOf(leftover));
    for (const leftover of found) {
      const { kind, obstacle, why } = leftover;
      // What containers stop and start comes and goes, and nothing was decided about it.
      if (obstacle === undefined || kind === 'anonymous') continue;
      audit.recordOnce(
        { ...aboutOf(leftover), outcome: 'blocked', why: `${why}; kept: ${obstacle}` },
        obstacle,
      );
    }
    this.#leftovers = found;
  }

  /** At most one leftover is removed; in a dry run all are told. */
  async #step(signal: AbortSignal): Promise<void> {
    const due = this.#leftovers.filter((leftover) => this.#isDue(leftover));
    if (this.#rules.act) {
      const next = due.find((leftover) => !this.#isSetAside(leftover));
      if (next !== undefined) await this.#remove(next, signal);
      return;
    }
    for (const leftover of due) {
      const why = `${leftover.why}; would ${wordsFor(leftover)}`;
      this.#parts.audit.recordOnce({ ...aboutOf(leftover), outcome: 'planned', why }, wordsFor(leftover));
    }
  }

  #isDue(leftover: Leftover): boolean {
    const { rounds, forMs } = this.#findings.of(keyOf(leftover));
    return rounds >= this.#rules.confirm && forMs >= this.#waitMs(leftover);
  }

  #waitMs({ kind }: Leftover): number {
    return kind === 'mapping' ? this.#rules.sdcGoneFor : this.#rules.seenFor;
  }

  #isSetAside(leftover: Leftover): boolean {
    const { clock } = this.#parts;
    for (const [key, at] of this.#setAside)
      if (clock.elapsed() - at >= this.#rules.retryFailedAfter) this.#setAside.delete(key);
    return this.#setAside.has(keyOf(leftover));
  }

  async #remove(leftover: Leftover, signal: AbortSignal): Promise<void> {
    const { array, audit, clock } = this.#parts;
    const about = aboutOf(leftover);
    const { why } = leftover;
    try {
      const look = await recheck(array, leftover, signal);
      if (look.kind === 'clear') {
        await this.#removeFromArray(leftover, look, signal);
        audit.record({ ...about, outcome: 'done', why: `${why}; ${wordsFor(leftover)}` });
      } else if (look.kind === 'gone') {
        audit.record({ ...about, outcome: 'done', why: `${why}; somebody else was quicker` });
      } else {
        this.#setAside.set(keyOf(leftover), clock.elapsed());
        audit.record({ ...about, outcome: 'blocked', why: `${why}; kept: ${look.why}` });
      }
    } catch (error) {
      if (!isPluginError(error)) throw error;
      this.#setAside.set(keyOf(leftover), clock.elapsed());
      const failure = `could not ${wordsFor(leftover)}: ${error.message}`;
      audit.record({ ...about, outcome: 'failed', why: `${why}; ${failure}` });
    }
  }

  /** Only ever this volume and its markers, never other descendants; only ever this SDC. */
  async #removeFromArray(
    leftover: Leftover,
    { markers }: Extract<Recheck, { kind: 'clear' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { array } = this.#parts;
    const { id, attachments } = leftover.volume;
    if (leftover.kind === 'mapping') {
      await array.detachVolume(id, leftover.hostId, signal);
      return;
    }
    for (const { hostId } of attachments) await array.detachVolume(id, hostId, signal);
    await array.removeVolume(id, signal);
    for (const marker of markers) await array.removeVolume(marker, signal);
  }

  #describe(leftover: Leftover): CleanupFinding {
    const { obstacle, why } = leftover;
    const about = aboutOf(leftover);
    if (obstacle !== undefined) return { ...about, state: 'kept', why: `${why}; ${obstacle}` };
    if (this.#isSetAside(leftover))
      return { ...about, state: 'set aside', why: `${why}; it could not be done at the last try` };
    if (this.#isDue(leftover)) return { ...about, state: 'due', why };
    const { rounds, forMs } = this.#findings.of(keyOf(leftover));
    const times = `${rounds} of ${this.#rules.confirm} times`;
    const since = `for ${formatDuration(forMs)} of ${formatDuration(this.#waitMs(leftover))}`;
    return { ...about, state: 'watched', why: `${why}; seen so ${times}, ${since}` };
  }
}

function aboutOf({ kind, target }: Leftover): Pick<AuditRecord, 'target'> & Pick<CleanupFinding, 'action'> {
  return { action: kind === 'mapping' ? 'unmap' : 'remove-volume', target };
}

function wordsFor(leftover: Leftover): string {
  return leftover.kind === 'mapping' ? `unmap it from SDC "${leftover.hostId}"` : 'remove it';
}
