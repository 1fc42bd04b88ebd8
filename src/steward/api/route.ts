import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { PROBLEM_TYPE, problemSchema } from './problem.ts';

/** A server whose routes are described by zod. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export const ROOT = '/api/v1';

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: problemSchema } },
});

/** What every route may answer beside what it is for. */
export const REFUSALS = {
  '4xx': problem('not done: the request, the token, or how things are'),
  '5xx': problem('not done, or not known whether: the array, a host, or the steward'),
};

/** What a route that takes a token is for. */
export const about = (tag: string, operationId: string, summary: string) => ({
  operationId,
  summary,
  tags: [tag],
  security: [{ token: [] }],
});
