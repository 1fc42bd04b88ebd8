import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isPluginError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AuditTrail } from '../audit.ts';
import type { AskedAction } from '../ports.ts';
import { assertOperator, assertVolumes, knownCaller } from './caller.ts';
import { IdempotencyKeys } from './idempotency.ts';
import type { Grant } from './tokens.ts';

/** One change that was asked for. */
export interface Change<Result> {
  readonly action: AskedAction;
  /** For people: 'volume "db"'. */
  readonly target: string;
  /** Every volume that it reads or changes, by names as users write them. */
  readonly volumes: readonly string[];
  /** What else the token has to allow; throws ApiRefusal, or rejects with it. */
  readonly allowed?: (grant: Grant) => void | Promise<void>;
  readonly work: (signal: AbortSignal) => Promise<Result>;
  /** What came of it, for the audit. */
  readonly outcome: (result: Result) => string;
}

/** For one change, ms: longer than any that will end. */
const LIMIT_MS = 120_000;

/**
 * Does what operators' tokens ask for: each once per key, each with one record in the audit. It goes on to its end also when who asked
 * hangs up.
 */
export class Changes {
  readonly #audit: Pick<AuditTrail, 'record'>;
  readonly #keys: IdempotencyKeys;

  constructor({
    audit,
    clock,
  }: {
    readonly audit: Pick<AuditTrail, 'record'>;
    readonly clock: Pick<Clock, 'elapsed'>;
  }) {
    this.#audit = audit;
    this.#keys = new IdempotencyKeys(clock);
  }

  /** Answers what the change did. Rejects with ApiRefusal where the token does not allow it, and as the work does. */
  async make<Result>(request: FastifyRequest, reply: FastifyReply, change: Change<Result>): Promise<Result> {
    const grant = knownCaller(request);
    assertOperator(grant);
    assertVolumes(grant, change.volumes);
    await change.allowed?.(grant);
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string') return this.#audited(grant.name, change);
    const { answer, isReplay } = await this.#keys.once(
      { token: grant.name, key, request: markOf(request) },
      async () => ({ result: await this.#audited(grant.name, change) }),
    );
    if (isReplay) void reply.header('idempotency-replayed', 'true');
    // What is kept under a key is what the same request of the same route answered.
    return answer.result as Result;
  }

  async #audited<Result>(
    by: string,
    { action, target, volumes, work, outcome }: Change<Result>,
  ): Promise<Result> {
    const about = { action, target, by, volumes };
    try {
      const result = await work(AbortSignal.timeout(LIMIT_MS));
      this.#audit.record({ ...about, outcome: 'done', why: outcome(result) });
      return result;
    } catch (error) {
      const why = isPluginError(error) ? error.message : 'failed unexpectedly, see the log';
      this.#audit.record({ ...about, outcome: 'failed', why });
      throw error;
    }
  }
}

/** The same for the same request. */
function markOf({ method, url, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest('hex');
}
