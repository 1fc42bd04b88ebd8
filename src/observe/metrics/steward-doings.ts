import { Counter, type Registry } from 'prom-client';
import type { AuditRecord, News, OwnAction, Webhooks } from '../../steward/ports.ts';
import type { Steward } from '../../steward/steward.ts';

const ACTIONS: Readonly<Record<OwnAction | 'api', string>> = {
  alert: 'alert (a webhook told)',
  grow: 'grow (a device added)',
  'remove-volume': 'remove-volume (a leftover of a host that is gone)',
  unmap: 'unmap (from an SDC that is gone)',
  api: 'api (whatever a token of the API asked for)',
};
const OUTCOMES: Readonly<Record<AuditRecord['outcome'], string>> = {
  planned: 'planned (dry run)',
  done: 'done',
  failed: 'failed',
  blocked: 'blocked (told once while it lasts)',
};

/** Counts what the steward does: its rounds, its audited decisions, and what it sends. */
export class StewardDoings {
  readonly #rounds: Counter<'outcome'>;
  readonly #actions: Counter<'action' | 'outcome'>;
  readonly #levels: Counter<'level'>;
  readonly #requests: Counter<'webhook' | 'outcome'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#rounds = new Counter({
      name: 'scaleio_steward_rounds_total',
      help: 'Rounds of the steward by outcome: ok, failed (the array could not be read), bug',
      labelNames: ['outcome'],
      registers,
    });
    this.#actions = new Counter({
      name: 'scaleio_steward_actions_total',
      help: `Entries of the audit, by action: ${Object.values(ACTIONS).join(', ')}; and outcome: ${Object.values(OUTCOMES).join(', ')}`,
      labelNames: ['action', 'outcome'],
      registers,
    });
    this.#levels = new Counter({
      name: 'scaleio_steward_level_changes_total',
      help: 'Changes of the level of pools in the policy, by the new level: ok, warn, critical',
      labelNames: ['level'],
      registers,
    });
    this.#requests = new Counter({
      name: 'scaleio_steward_webhook_requests_total',
      help: 'Requests to webhooks and disk providers, each attempt, by host and outcome: ok, failed',
      labelNames: ['webhook', 'outcome'],
      registers,
    });
    for (const outcome of ['ok', 'failed', 'bug']) this.#rounds.inc({ outcome }, 0);
    for (const level of ['ok', 'warn', 'critical']) this.#levels.inc({ level }, 0);
    // What an alert watches must be there before it happens.
    for (const action of Object.keys(ACTIONS))
      for (const outcome of Object.keys(OUTCOMES)) this.#actions.inc({ action, outcome }, 0);
  }

  /** One decision, as it is audited. */
  record({ action, by, outcome }: Pick<AuditRecord, 'action' | 'by' | 'outcome'>): void {
    this.#actions.inc({ action: by === undefined ? action : 'api', outcome });
  }

  /** A level that changed, whether or not a webhook is told; that the array is out of sight has a gauge of its own. */
  recordNews({ kind, level }: Pick<News, 'kind' | 'level'>): void {
    if (kind === 'level') this.#levels.inc({ level });
  }

  /** The same webhooks, counted. */
  observeWebhooks(webhooks: Webhooks): Webhooks {
    return {
      post: async (target, payload, signal, id) => {
        const webhook = new URL(target.url).host;
        try {
          const answer = await webhooks.post(target, payload, signal, id);
          this.#requests.inc({ webhook, outcome: 'ok' });
          return answer;
        } catch (error) {
          if (!signal.aborted) this.#requests.inc({ webhook, outcome: 'failed' });
          throw error;
        }
      },
    };
  }

  /** The same steward, its rounds counted. */
  observeRounds(steward: Pick<Steward, 'round' | 'snapshot'>): Pick<Steward, 'round'> {
    return {
      round: async (signal) => {
        let outcome = 'bug';
        try {
          await steward.round(signal);
          outcome = steward.snapshot().reachable ? 'ok' : 'failed';
        } finally {
          this.#rounds.inc({ outcome });
        }
      },
    };
  }
}
