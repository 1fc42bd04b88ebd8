import type { FastifyReply, FastifyRequest } from 'fastify';

import { isPluginError } from '../../errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Call } from './call.ts';
import { failureFacts, failureText, provesAbsence } from './failures.ts';
import type { Operation } from './operations.ts';
import { CONTENT_TYPE, failed } from './responses.ts';
import type { VolumeDriver } from '../volume-driver.ts';

/** Milliseconds; `graceMs` is what a driver gets to stop after its deadline. */
export interface Deadlines {
  readonly longMs: number;
  readonly shortMs: number;
  readonly graceMs: number;
}

export interface Serving {
  readonly driver: VolumeDriver;
  readonly log: Log;
  readonly deadlines: Deadlines;
}

/** How a call ended: an answer, a failure to be told, or silence (`drop`) for the log's reason. */
type Ending =
  | { readonly kind: 'answer'; readonly body: Buffer }
  | { readonly kind: 'failure'; readonly error: unknown }
  | { readonly kind: 'drop'; readonly error: unknown };

/** The handler of one call of the protocol: reads it, runs it on the driver, answers, and logs one line. */
export function serveOperation(operation: Operation, serving: Serving) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const startedMs = performance.now();
    const facts: Record<string, unknown> = { requestId: request.id, operation: operation.name };
    const { longMs, shortMs, graceMs } = serving.deadlines;
    const limits = { deadlineMs: operation.length === 'long' ? longMs : shortMs, graceMs };
    const call = new Call(reply.raw, limits, request.id);
    const ending = await runToEnd(operation, bodyOf(request), { serving, call, facts });
    call.close();
    facts['ms'] = Math.round(performance.now() - startedMs);
    report(serving.log, operation, { ending, facts, isClientGone: call.isClientGone });
    return reply.raw.destroyed || ending.kind === 'drop' ? drop(reply) : answer(reply, ending);
  };
}

/** A request without a body does not reach the body's parser. */
function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

async function runToEnd(
  operation: Operation,
  body: Buffer,
  { serving, call, facts }: { serving: Serving; call: Call; facts: Record<string, unknown> },
): Promise<Ending> {
  const isInDoubt = (error: unknown) => operation.isSilentInDoubt && !provesAbsence(error);
  try {
    const prepared = operation.prepare(body);
    Object.assign(facts, prepared.facts);
    return {
      kind: 'answer',
      body: await call.run(operation.name, (context) => prepared.run(serving.driver, context)),
    };
  } catch (error) {
    // A Get that is repeated after we dropped it comes without its name; an answer now would undo the silence.
    const isRepeated = operation.isSilentInDoubt && body.length === 0;
    return { kind: isRepeated || isInDoubt(error) ? 'drop' : 'failure', error };
  }
}

function answer(reply: FastifyReply, ending: Ending): FastifyReply {
  reply.type(CONTENT_TYPE);
  if (ending.kind === 'answer') return reply.code(200).send(ending.body);
  return reply.code(500).send(failed(failureText(ending.error, reply.request.id)));
}

/** Breaks the connection before any byte of an answer, which the engine tells apart from every answer. */
function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}

function report(
  log: Log,
  { name, isChange }: Operation,
  { ending, facts, isClientGone }: { ending: Ending; facts: object; isClientGone: boolean },
): void {
  const gone = isClientGone ? { isClientGone } : {};
  if (ending.kind === 'answer') {
    const level = isClientGone ? 'warn' : isChange ? 'info' : 'debug';
    log[level]({ ...facts, outcome: 'done', ...gone }, `${name} done`);
    return;
  }
  const outcome = ending.kind === 'drop' ? 'not answered' : 'failed';
  const failure = { ...facts, outcome, ...gone, ...failureFacts(ending.error) };
  if (!isPluginError(ending.error)) log.error(failure, `${name} ${outcome}: a bug of the plugin`);
  // Docker asks Get before each Create: that there is no such volume is no news.
  else log[ending.kind === 'drop' || isChange ? 'warn' : 'debug'](failure, `${name} ${outcome}`);
}
