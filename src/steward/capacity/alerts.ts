import { isPluginError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { AuditTrail } from '../audit.ts';
import type { WebhookPolicy } from '../policy.ts';
import type { News, Webhooks } from '../ports.ts';

/** What a webhook is told. Sizes in KiB, raw; times ISO 8601. */
export interface Alert {
  /** The same for the same news, also from another steward. */
  readonly key: string;
  readonly kind: 'level' | 'reminder' | 'blind';
  readonly level: 'ok' | 'warn' | 'critical' | 'unknown';
  readonly before: 'ok' | 'warn' | 'critical' | 'unknown';
  /** For people. */
  readonly text: string;
  readonly at: string;
  readonly systemId: string | null;
  readonly pool: object | null;
}

const KEPT = 200;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** What waits longer than so many others is no news any more. */
const MOST_WAITING = 50;

/** Delivers alerts to every webhook, each at its own pace: one that hangs delays neither the others nor the steward. */
export class Alerts {
  readonly #webhooks: Webhooks;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #audit: AuditTrail;
  readonly #onNews: (news: News) => void;
  readonly #lines: readonly Line[];
  readonly #stopped = new AbortController();
  #news: readonly News[] = [];

  /** `onNews` is told of all news, also where there is no webhook; it must not throw. */
  constructor(
    parts: {
      webhooks: Webhooks;
      clock: Clock;
      log: Log;
      audit: AuditTrail;
      onNews?: (news: News) => void;
    },
    targets: readonly WebhookPolicy[],
  ) {
    this.#webhooks = parts.webhooks;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#audit = parts.audit;
    this.#onNews = parts.onNews ?? (() => undefined);
    this.#lines = targets.map((target) => ({ target, waiting: [], running: undefined }));
  }

  /** The last 200, without reminders; newest last. */
  get news(): readonly News[] {
    return this.#news;
  }

  /** Logs the alert, keeps it as news and queues it for the webhooks. Never waits. */
  raise(alert: Alert): void {
    if (alert.kind !== 'reminder') this.#keep(alert, alert.kind === 'blind' ? 'sight' : 'level');
    const facts = { alert };
    if (alert.level === 'ok') this.#log.info(facts, alert.text);
    else this.#log.warn(facts, alert.text);
    const message = { id: `msg_${this.#clock.randomHex(32)}`, alert };
    for (const line of this.#lines) {
      line.waiting.push(message);
      if (line.waiting.length > MOST_WAITING) line.waiting.shift();
      line.running ??= this.#deliver(line);
    }
  }

  #keep({ at, level, text }: Alert, kind: News['kind']): void {
    const news = { at, kind, level, text };
    this.#news = [...this.#news, news].slice(-KEPT);
    this.#onNews(news);
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#lines.flatMap(({ running }) => (running === undefined ? [] : [running])));
  }

  /** Gives up what has not been delivered. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  async #deliver(line: Line): Promise<void> {
    for (let next = line.waiting.shift(); next !== undefined; next = line.waiting.shift()) {
      if (this.#stopped.signal.aborted) break;
      await this.#tryHard(line.target, next);
    }
    line.running = undefined;
  }

  async #tryHard(target: WebhookPolicy, { id, alert }: Message): Promise<void> {
    const { signal } = this.#stopped;
    const to = `webhook "${new URL(target.url).host}"`;
    const { url, secretFile, timeout: timeoutMs, attempts } = target;
    let why = '';
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      try {
        await this.#webhooks.post({ url, secretFile, timeoutMs }, alert, signal, id);
        this.#audit.record({ action: 'alert', target: to, outcome: 'done', why: alert.text });
        return;
      } catch (error) {
        if (signal.aborted) return;
        why = isPluginError(error) ? error.message : String(error);
      }
      if (attempt < attempts && !(await this.#pause(attempt))) return;
    }
    this.#audit.record({
      action: 'alert',
      target: to,
      outcome: 'failed',
      why: `${why}; not told: ${alert.text}`,
    });
  }

  /** False when the steward ends. */
  async #pause(attempt: number): Promise<boolean> {
    const { signal } = this.#stopped;
    try {
      await this.#clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS), signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }
}

interface Message {
  /** The same in all attempts, so that a receiver that took one without being heard knows the next. */
  readonly id: string;
  readonly alert: Alert;
}

interface Line {
  readonly target: WebhookPolicy;
  readonly waiting: Message[];
  running: Promise<void> | undefined;
}
