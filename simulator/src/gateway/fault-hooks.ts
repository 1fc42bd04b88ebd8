import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import type { Faults, FaultRule } from '../faults/faults.ts';
import type { LoggedRequest, RequestLog } from '../faults/request-log.ts';
import { refusal } from '../mdm/failures.ts';
import { failureBody, sendFailure, sendHtml, sendJson } from './replies.ts';

export interface FaultHookParts {
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly gateway: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

interface Tracked {
  readonly entry: LoggedRequest;
  readonly loseReply: boolean;
}

/** Logs every request to the API and lets the faults have their way with it. */
export function addFaultHooks(app: FastifyInstance, parts: FaultHookParts): void {
  const tracked = new WeakMap<FastifyRequest, Tracked>();
  app.addHook('onRequest', async (request, reply) => {
    if (!/^\/(api|rest)\//.test(request.url)) return;
    const { gateway, faults } = parts;
    const entry = {
      method: request.method,
      path: request.url,
      gateway,
      at: parts.now(),
      requestId: requestIdOf(request),
      status: 0,
      ms: 0,
    };
    parts.requests.add(entry);
    const rules = faults.hitting({ method: entry.method, path: entry.path, gateway });
    tracked.set(request, { entry, loseReply: rules.some((rule) => rule.kind === 'reply-lost') });
    const delayMs = rules.reduce((sum, rule) => sum + (rule.delayMs ?? 0), faults.delayMs(parts.random()));
    if (delayMs > 0) await pause(delayMs);
    if (rules.some((rule) => rule.kind === 'cut')) {
      cut(request, reply);
      return;
    }
    const failing = rules.find((rule) => rule.kind === 'error');
    if (failing) return fail(reply, failing);
    if (faults.failingOver) await sendFailure(reply, refusal('COMMUNICATION_ERROR'), false);
  });
  app.addHook('onSend', (request, _, payload, done) => {
    if (tracked.get(request)?.loseReply) request.raw.socket.destroy();
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const found = tracked.get(request);
    if (found) {
      found.entry.ms = Math.round(reply.elapsedTime * 1000) / 1000;
      found.entry.status = found.loseReply ? 0 : reply.statusCode;
    }
    done();
  });
}

function requestIdOf({ headers }: FastifyRequest): string | undefined {
  const id = headers['x-request-id'];
  return Array.isArray(id) ? id[0] : id;
}

function cut(request: FastifyRequest, reply: FastifyReply): void {
  void reply.hijack();
  request.raw.socket.destroy();
}

async function fail(reply: FastifyReply, rule: FaultRule): Promise<void> {
  const status = rule.status ?? 500;
  if (typeof rule.body === 'string') await sendHtml(reply, status, rule.body);
  else
    await sendJson(
      reply,
      rule.body ?? failureBody('Communication error', status, status === 500 ? 69 : 0),
      status,
    );
}
