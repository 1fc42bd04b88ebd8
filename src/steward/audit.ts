import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { AuditRecord } from './ports.ts';

const KEPT = 200;

/**
 * Every decision about a change, also those not to make it: one log line of one shape, and the last 200 in memory. A
 * block that lasts is recorded once, not each round.
 */
export class AuditTrail {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Log;
  readonly #onRecord: (record: AuditRecord) => void;
  readonly #records: AuditRecord[] = [];
  readonly #standing = new Map<string, string>();

  /** `onRecord` is told of each record; it must not throw. */
  constructor(parts: { clock: Pick<Clock, 'now'>; log: Log; onRecord?: (record: AuditRecord) => void }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onRecord = parts.onRecord ?? (() => undefined);
  }

  /** Newest last. */
  get last(): readonly AuditRecord[] {
    return this.#records;
  }

  record(entry: Omit<AuditRecord, 'at'>): void {
    this.#standing.delete(keyOf(entry));
    this.#write(entry);
  }

  /** As record, but not again while the same stands for the same target. `sameness`: what counts as the same. */
  recordOnce(entry: Omit<AuditRecord, 'at'>, sameness: string = entry.why): void {
    const stands = `${entry.outcome} ${sameness}`;
    if (this.#standing.get(keyOf(entry)) === stands) return;
    this.#standing.set(keyOf(entry), stands);
    this.#write(entry);
  }

  /** What stood for this target is over: the same would be news again. */
  settle(about: Pick<AuditRecord, 'action' | 'target'>): void {
    this.#standing.delete(keyOf(about));
  }

  #write(entry: Omit<AuditRecord, 'at'>): void {
    const record = { at: new Date(this.#clock.now()).toISOString(), ...entry };
    this.#records.push(record);
    if (this.#records.length > KEPT) this.#records.shift();
    this.#onRecord(record);
    const line = { audit: record };
    const message = `steward: ${record.action} ${record.target}: ${record.outcome}`;
    if (record.outcome === 'failed') this.#log.warn(line, message);
    else this.#log.info(line, message);
  }
}

function keyOf({ action, target }: Pick<AuditRecord, 'action' | 'target'>): string {
  return `${action} ${target}`;
}
